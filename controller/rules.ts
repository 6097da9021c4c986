/** The rules of slipway.toml that hold for whoever deploys, kept so that a command knows them while git is away. */
import { z } from 'zod';
import { NamespaceName } from '../schemas/names.ts';
import type { Settings } from '../schemas/settings.ts';
import type { Bucket } from '../store/port.ts';

const Rules = z.strictObject({
  maxRemovePercent: z.int().min(0).max(100),
  /** Namespaces whose plans wait for an approval, in order. */
  approvals: z.array(NamespaceName),
});
export type Rules = z.infer<typeof Rules>;

const KEY = ['rules'];

/** The rules that settings make. */
export function rulesOf(settings: Settings): Rules {
  const approvals = Object.entries(settings.approvals).filter(([, it]) => it.required);
  return { maxRemovePercent: settings.prune.maxPercent, approvals: approvals.map(([name]) => name).toSorted() };
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
