/**
 * Units: instances that have to be exchanged together, old ones stopped before new ones start (stop-first).
 *
 * Everything that is in no unit is start-first. A unit comes from the strategy `recreate`, or from a claim (claims.ts)
 * that a new instance and a leaving one both have on the same machine, also when they are of different services.
 */
import type { ServiceName } from '../../schemas/names.ts';
import type { PlannedSlot } from '../../schemas/plan.ts';
import type { SlotRow } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { type Claim, claimsOf } from './claims.ts';
import type { Live } from './live.ts';
import { bySlot, groupBy } from './order.ts';
import type { Pinned } from './pin.ts';
import { createSets, type DisjointSets } from './sets.ts';
import type { Transition } from './transitions.ts';

/** Both in order of slot. Empty `stops`: a plain start. */
export interface Unit {
  readonly stops: readonly SlotRow[];
  readonly starts: readonly PlannedSlot[];
}

/** A new or leaving instance with what it claims on its machine. */
interface Holder {
  readonly node: string;
  readonly service: ServiceName;
  readonly slot: string;
  readonly side: 'new' | 'leaving';
  readonly claim: Claim;
}

/** The stop-first units, in order of their first new slot. */
export function stopFirstUnits(args: {
  readonly transitions: readonly Transition[];
  readonly pinned: ReadonlyMap<ServiceName, Pinned>;
  readonly live: Live;
}): Unit[] {
  const { pinned, live } = args;
  const moving = args.transitions.filter((it) => it.kind !== 'keep');
  const sets = createSets();
  for (const [service, slots] of groupBy(moving, (it) => it.service))
    if (pinned.get(service)?.spec.strategy.kind === 'recreate') recreateTogether(slots, sets);

  const holders = groupBy(
    holdersOf(moving, pinned, (digest) => live.specOf(digest)),
    ({ at }) => at,
  );
  for (const bucket of holders.values())
    exchangeTogether(
      bucket.map((it) => it.holder),
      sets,
    );

  // A stopped instance leaves its slot empty: what fills the slot belongs to the same unit, wherever it is.
  for (const it of moving)
    if (it.kind === 'replace' && sets.has(leaving(it.slot))) sets.union(leaving(it.slot), fresh(it.slot));
  return collect(moving, sets);
}

/** A service with `recreate` never has old and new side by side; new slots beside unchanged ones are just started. */
function recreateTogether(slots: readonly Transition[], sets: DisjointSets): void {
  const [first] = slots.filter((it) => it.kind === 'replace');
  if (first === undefined) return;
  for (const it of slots) {
    if (it.before !== null) sets.union(leaving(first.slot), leaving(it.slot));
    if (it.after !== null) sets.union(leaving(first.slot), fresh(it.slot));
  }
}

function holdersOf(
  moving: readonly Transition[],
  pinned: ReadonlyMap<ServiceName, Pinned>,
  specOf: (digest: string) => ServiceSpec,
): { readonly at: string; readonly holder: Holder }[] {
  return moving.flatMap(({ slot, service, before, after }) => {
    const spec = pinned.get(service)?.spec;
    const news = after === null || spec === undefined ? [] : claimsOf(spec);
    // What the gateway holds for a leaving service it lets go of by itself, but only once the release is live.
    const olds = before === null ? [] : claimsOf(specOf(before.spec)).filter((it) => it.holder === 'own');
    const holder = (side: Holder['side'], machine: string | undefined) => (claim: Claim) => ({
      at: `${machine} ${claim.key}`,
      holder: { node: side === 'new' ? fresh(slot) : leaving(slot), service, slot, side, claim },
    });
    return [...news.map(holder('new', after?.machine)), ...olds.map(holder('leaving', before?.machine))];
  });
}

/**
 * Across services, and for a port, everyone who claims the same thing is exchanged at once. Slots of one service that
 * share a mount did so before and will again: each is exchanged with its own predecessor.
 */
function exchangeTogether(bucket: readonly Holder[], sets: DisjointSets): void {
  const [first] = bucket;
  if (first === undefined || new Set(bucket.map((it) => it.side)).size < 2) return;
  const together = first.claim.kind === 'port' || bucket.some((it) => it.service !== first.service);
  const leavingSlots = new Set(bucket.filter((it) => it.side === 'leaving').map((it) => it.slot));
  for (const it of bucket) {
    if (together) sets.union(first.node, it.node);
    else if (it.side === 'new' && leavingSlots.has(it.slot)) sets.union(leaving(it.slot), fresh(it.slot));
  }
}

function collect(moving: readonly Transition[], sets: DisjointSets): Unit[] {
  const units = new Map<string, { stops: SlotRow[]; starts: PlannedSlot[] }>();
  const unitOf = (node: string) => {
    const root = sets.rootOf(node);
    const unit = units.get(root) ?? { stops: [], starts: [] };
    units.set(root, unit);
    return unit;
  };
  for (const { slot, before, after } of moving) {
    if (before !== null && sets.has(leaving(slot))) unitOf(leaving(slot)).stops.push(before);
    if (after !== null && sets.has(fresh(slot))) unitOf(fresh(slot)).starts.push(after);
  }
  return [...units.values()]
    .filter((it) => it.starts.length > 0 && it.stops.length > 0)
    .map((it) => ({ stops: it.stops.toSorted(bySlot), starts: it.starts.toSorted(bySlot) }))
    .toSorted((a, b) => bySlot(firstOf(a.starts), firstOf(b.starts)));
}

function firstOf<T>(values: readonly T[]): T {
  const [first] = values;
  if (first === undefined) throw new Error('a unit without new slots');
  return first;
}

function fresh(slot: string): string {
  return `new ${slot}`;
}

function leaving(slot: string): string {
  return `leaving ${slot}`;
}
