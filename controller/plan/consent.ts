/** Consent: what a plan does that cannot be undone, and when a person has to agree first. */
import type { NamespaceName } from '../../schemas/names.ts';
import { type Change, hasChanges, type Plan } from '../../schemas/plan.ts';
import type { VolumeRow } from '../../schemas/release.ts';
import { shorten } from './candidates.ts';
import type { Live } from './live.ts';
import type { JobOrder } from './works.ts';

interface ConsentArgs {
  readonly kind: Plan['kind'];
  readonly namespace: NamespaceName;
  readonly changes: readonly Change[];
  readonly live: Live;
}

/** Removals, and jobs that will have run whatever comes after them; a sentence each, in order of name. */
export function destructiveSteps(
  args: ConsentArgs & { readonly jobs: readonly JobOrder[]; readonly volumeRows: readonly VolumeRow[] },
): string[] {
  const removals = removedOf(args.changes).map((service) => {
    const count = args.live.byService.get(service)?.length ?? 0;
    return `Service ${service} is removed, with ${count === 1 ? 'its instance' : `its ${count} instances`}.`;
  });
  const jobs = args.jobs.map((it) => `Job ${it.service} runs; what it does is not undone if a later phase fails.`);
  const volumes = args.volumeRows.map((it) => it.volume);
  const kept =
    args.kind === 'remove' && volumes.length > 0
      ? [
          `Namespace ${args.namespace} is removed; its volumes stay until they are removed by name: ${shorten(volumes)}.`,
        ]
      : [];
  return [...removals, ...jobs, ...kept];
}

/** Why a person must consent; empty: nobody needs to. */
export function consentsOf(args: ConsentArgs & { readonly maxRemovePercent: number }): string[] {
  const { kind, namespace, maxRemovePercent } = args;
  const removed = removedOf(args.changes).length;
  const released = args.live.services.size;
  if (kind === 'remove') return [`The whole namespace ${namespace} is removed: ${services(released)}.`];
  if (removed === 0) return [];
  if (removed === released) return [`All of namespace ${namespace} is removed: ${services(released)}.`];
  if (removed * 100 <= maxRemovePercent * released) return [];
  return [`${removed} of ${services(released)} are removed; more than ${maxRemovePercent}% needs consent.`];
}

/** Why the plan waits for an approval; empty: it does not, or it changes nothing. */
export function approvalsOf(plan: Plan, approvalRequired: boolean): string[] {
  if (!approvalRequired || !hasChanges(plan)) return [];
  return [`Every plan of ${plan.namespace} needs an approval (slipway.toml, [approvals.${plan.namespace}]).`];
}

function removedOf(changes: readonly Change[]): string[] {
  return changes.filter((it) => it.kind === 'remove').map((it) => it.service);
}

function services(count: number): string {
  return count === 1 ? '1 service' : `${count} services`;
}
