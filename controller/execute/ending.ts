/** How a deploy ended, by its log entries. Pure: status is derived from the log, never the other way round. */
import type { DeployState } from '../../schemas/deploy.ts';
import type { DeployId } from '../../schemas/names.ts';
import type { LogEntry } from '../../schemas/release.ts';

export type Ending =
  /** Nobody ended it: whoever holds the lease must. */
  | { readonly kind: 'open'; readonly releases: number[] }
  | { readonly kind: 'committed'; readonly n: number; readonly releases: number[] }
  | { readonly kind: 'void'; readonly n: number; readonly reason: string; readonly releases: number[] };

/** @param entries ascending, all that came after the deploy began */
export function endingOf(deploy: DeployId, entries: readonly LogEntry[]): Ending {
  const own = entries.filter((it) => it.deploy === deploy);
  const releases = own.filter((it) => it.kind === 'release').map((it) => it.n);
  for (const entry of own) {
    if (entry.kind === 'void') return { kind: 'void', n: entry.n, reason: entry.reason, releases };
    if (entry.kind === 'removed') return { kind: 'committed', n: entry.n, releases };
    if (entry.kind === 'release' && entry.final) return { kind: 'committed', n: entry.n, releases };
  }
  return { kind: 'open', releases };
}

/** State of a deploy that was voided: what its checkpoints committed stays live. */
export function voidedState(
  ending: Extract<Ending, { kind: 'void' }>,
  why: 'failed' | 'aborted' | 'superseded',
): DeployState {
  return ending.releases.length > 0 && why === 'failed' ? 'failed-after-checkpoint' : why;
}
