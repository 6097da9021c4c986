/** Plans that wait for people, and what happens once they said yes. Pure. */
import type { AgreementKind, Pending } from '../../schemas/consent.ts';
import type { NamespaceRecord } from '../../schemas/deploy.ts';
import { type Frozen, frozenText } from './frozen.ts';
import { AGREEMENTS, shortId } from './needs.ts';

/** A refused plan and what nobody gave it yet; none: it was agreed to and waits to be carried out. */
export interface Waiting {
  readonly pending: Pending;
  readonly missing: readonly AgreementKind[];
}

/** One line: which plan, what it waits for, why. */
export function waitingText({ pending, missing }: Waiting): string {
  const { plan, namespace, reasons, by, at } = pending;
  const how = missing.map((it) => `\`slipway ${AGREEMENTS[it].command} ${shortId(plan)}\``).join(' and ');
  const state = missing.length === 0 ? 'agreed to, not carried out yet' : `waits for ${how}`;
  return `plan ${shortId(plan)} of ${namespace} ${state}: ${reasons.join(' ')} (asked by ${by}, ${at})`;
}

/** What happens after an agreement was given. */
export function afterGiving(args: {
  readonly pending: Pending;
  readonly missing: readonly AgreementKind[];
  readonly record: NamespaceRecord;
  readonly frozen: Frozen | null;
  readonly controllerRuns: boolean;
}): string {
  const { pending, missing, record, frozen, controllerRuns } = args;
  const { namespace, plan } = pending;
  const [kind] = missing;
  if (kind !== undefined) return `It still needs another: \`slipway ${AGREEMENTS[kind].command} ${shortId(plan)}\`.`;
  if (frozen !== null) return `${frozenText(frozen)}; it can be carried out when that is over.`;
  if (record.held !== null)
    return `${namespace} is held by ${record.held.by}: \`slipway resume ${namespace}\`, or the command that was refused, carries it out.`;
  const codes: readonly string[] = Object.values(AGREEMENTS).map((it) => it.code);
  const loopWaits = record.failed !== null && codes.includes(record.failed.code);
  if (!loopWaits) return 'Run the command that was refused again: it carries it out now.';
  return controllerRuns
    ? 'If git still says so, the controller carries it out now.'
    : `No controller is running: \`slipway deploy ${namespace}\` or \`slipway up\` carries it out.`;
}
