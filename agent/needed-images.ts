/** Which releases' images are kept: enough to go back by. Pure. */
import type { LogEntry, Release } from '../schemas/release.ts';

/** `calm`: there is room for what one may want to go back to. `urgent`: only for the last step back. */
export type Pressure = 'calm' | 'urgent';

/** Releases of a namespace that one may want to go back to. */
const KEPT_RELEASES = 5;

/**
 * The releases of a namespace whose images stay: the last five, or the live one and the one that a rollback goes back to.
 * To what was before its removal there is no way back.
 *
 * @param entries the end of its log, ascending
 */
export function keptReleases(entries: readonly LogEntry[], pressure: Pressure): Release[] {
  const removed = entries.findLastIndex((it) => it.kind === 'removed');
  const releases = entries.slice(removed + 1).filter((it) => it.kind === 'release');
  if (pressure === 'calm') return releases.slice(-KEPT_RELEASES);
  const live = releases.at(-1);
  if (live === undefined) return [];
  const previous = releases.findLast((it) => it !== live && it.final && differs(it, live));
  // Checkpoints of a deploy that goes on mix the two.
  const since = previous === undefined ? [live] : releases.slice(releases.indexOf(previous) + 1);
  return [...(previous === undefined ? [] : [previous]), ...since.filter((it) => it === live || !it.final)];
}

function differs(a: Release, b: Release): boolean {
  const names = new Set([...Object.keys(a.services), ...Object.keys(b.services)]);
  return [...names].some((it) => a.services[it] !== b.services[it]);
}
