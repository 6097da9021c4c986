/** The rules of slipway.toml that hold for whoever deploys, kept so that a command knows them while git is away. */
import { z } from 'zod';
import { Permission } from '../schemas/forge.ts';
import { NamespaceName } from '../schemas/names.ts';
import type { Settings } from '../schemas/settings.ts';
import type { Bucket } from '../store/port.ts';
import type { ApproverRule } from './consent/approvers.ts';

const Rules = z.strictObject({
  maxRemovePercent: z.int().min(0).max(100),
  /** Namespaces whose plans wait for an approval, in order. */
  approvals: z.array(NamespaceName),
  /** Who may agree on a forge, by namespace that settings speak of. Absent: written before that was possible. */
  approvers: z.record(z.string(), z.strictObject({ approvers: z.array(z.string()), self: z.boolean() })).optional(),
  /** Permissions that may agree where settings name nobody. */
  approveRoles: z.array(Permission).optional(),
});
export type Rules = z.infer<typeof Rules>;

const KEY = ['rules'];

/** The rules that settings make. */
export function rulesOf(settings: Settings): Rules {
  const approvals = Object.entries(settings.approvals).filter(([, it]) => it.required);
  const approvers = Object.entries(settings.approvals).map(([name, it]) => [
    name,
    { approvers: [...it.approvers], self: it.self },
  ]);
  return {
    maxRemovePercent: settings.prune.maxPercent,
    approvals: approvals.map(([name]) => name).toSorted(),
    approvers: Object.fromEntries(approvers),
    approveRoles: [...settings.roles.approve],
  };
}

/** Who may agree to plans of one namespace on a forge; null: the rules were written before they said so. */
export function approverRule(rules: Rules, namespace: NamespaceName): ApproverRule | null {
  const { approvers, approveRoles } = rules;
  if (approvers === undefined || approveRoles === undefined) return null;
  const own = Object.hasOwn(approvers, namespace) ? approvers[namespace] : undefined;
  // Where settings do not speak of approvals, nobody asked for a second pair of eyes.
  return { approvers: own?.approvers ?? [], self: own?.self ?? true, roles: approveRoles };
}

/** What a plan of one namespace is held to. */
export function ruleFor(
  rules: Rules,
  namespace: NamespaceName,
): { maxRemovePercent: number; approvalRequired: boolean } {
  return { maxRemovePercent: rules.maxRemovePercent, approvalRequired: rules.approvals.includes(namespace) };
}

/** The rules as the controller last read them; null: none did yet. */
export async function readRules(cluster: Bucket): Promise<Rules | null> {
  const found = Rules.safeParse((await cluster.get(KEY))?.value);
  return found.success ? found.data : null;
}

export async function saveRules(cluster: Bucket, rules: Rules): Promise<void> {
  await cluster.put(KEY, rules);
}
