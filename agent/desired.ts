/** What should run on this machine, from the journal alone. Pure: the agent heals and serves by it with NATS down. */
import type { SlotRow } from '../schemas/release.ts';
import { type InstanceKey, instanceKey } from './identity.ts';
import { type NamespaceView, type Swap, sameInstance } from './journal-records.ts';

/** One instance that should run here. */
export interface DesiredInstance {
  readonly namespace: string;
  readonly row: SlotRow;
  /** A swap is moving it right now: nobody else touches it. */
  readonly moving: boolean;
  readonly viaSwap: boolean;
}

/** Swaps that no release has made official yet. */
export function pendingSwaps(view: NamespaceView): Swap[] {
  return view.swaps.filter((swap) => !isCommitted(view, swap));
}

/** Whether the live release names everything that the swap started. */
export function isCommitted(view: Pick<NamespaceView, 'live'>, swap: Swap): boolean {
  return swap.starts.every((row) => view.live?.slots.some((it) => sameInstance(it, row)) === true);
}

/**
 * The released instances of this machine, with swaps that are done in force: their starts instead of their stops.
 * Candidates of open deploys are not among them: those are their deploy's business.
 */
export function desiredInstances(view: NamespaceView, machine: string): DesiredInstance[] {
  const { namespace } = view;
  const swaps = pendingSwaps(view).filter((it) => it.state !== 'undone');
  const rows = (pick: 'stops' | 'starts', states: readonly Swap['state'][]) =>
    swaps.filter((it) => states.includes(it.state)).flatMap((it) => it[pick]);
  const stopped = rows('stops', ['done']);
  const moving = rows('stops', ['open', 'undoing']);
  const released = (view.live?.slots ?? [])
    .filter((row) => row.machine === machine && !stopped.some((it) => sameInstance(it, row)))
    .map((row) => ({ namespace, row, moving: moving.some((it) => sameInstance(it, row)), viaSwap: false }));
  const swapped = rows('starts', ['done']).map((row) => ({ namespace, row, moving: false, viaSwap: true }));
  return [...released, ...swapped];
}

/** Every row of the namespace that some record names here, by instance key; a released row wins over a candidate's. */
export function knownRows(view: NamespaceView, machine: string): Map<string, SlotRow> {
  const rows = [
    ...view.swaps.flatMap((it) => [...it.stops, ...it.starts]),
    ...Object.values(view.open).flatMap((it) => it.candidates),
    ...(view.live?.slots ?? []),
  ];
  return new Map(rows.filter((it) => it.machine === machine).map((it) => [instanceKey(it), it]));
}

/** Keys of instances that serve because a swap that no release has named yet put them there. */
export function swappedIn(view: NamespaceView): Set<string> {
  const swaps = pendingSwaps(view).filter((it) => it.state === 'open' || it.state === 'done');
  return new Set(swaps.flatMap((it) => it.starts.map(instanceKey)));
}

/** Of several containers that claim to be the same instance, the one that is; the others are orphans. */
export function chosen<T extends { readonly state: string; readonly createdAt: number; readonly id: string }>(
  same: readonly T[],
): T | undefined {
  const rank = (it: T) => (it.state === 'running' ? 0 : it.state === 'paused' || it.state === 'restarting' ? 1 : 2);
  return same.toSorted((a, b) => rank(a) - rank(b) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))[0];
}

/** Containers by the instance they are; several only when somebody copied labels. */
export function byInstance<T extends { readonly identity: InstanceKey & { readonly namespace: string } }>(
  containers: readonly T[],
): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const it of containers) {
    const key = `${it.identity.namespace}/${instanceKey(it.identity)}`;
    found.set(key, [...(found.get(key) ?? []), it]);
  }
  return found;
}
