/** Transitions: what happens to each slot, from the released table to the placed one. */
import type { ServiceName, SlotName } from '../../schemas/names.ts';
import type { PlannedSlot } from '../../schemas/plan.ts';
import type { SlotRow } from '../../schemas/release.ts';
import type { Live } from './live.ts';
import { bySlot, groupBy } from './order.ts';
import type { Pinned } from './pin.ts';

/** A slot and the machine that it will be on. */
export interface Seat {
  readonly slot: SlotName;
  readonly service: ServiceName;
  readonly machine: string;
}

/** `keep`: the same instance. `add`: none before. `replace`: another instance. `drop`: none after. */
export type Transition =
  | ({ readonly kind: 'keep' | 'replace'; readonly before: SlotRow; readonly after: PlannedSlot } & Named)
  | ({ readonly kind: 'add'; readonly before: null; readonly after: PlannedSlot } & Named)
  | ({ readonly kind: 'drop'; readonly before: SlotRow; readonly after: null } & Named);

interface Named {
  readonly slot: SlotName;
  readonly service: ServiceName;
}

/**
 * One transition for each slot of either side, in order of slot.
 *
 * @param kept rows of instances that still exist though the release does not name them: named again where they fit
 */
export function transitionsOf(args: {
  readonly seats: readonly Seat[];
  readonly pinned: ReadonlyMap<ServiceName, Pinned>;
  readonly live: Live;
  readonly kept: readonly SlotRow[];
}): Transition[] {
  const keptBySlot = groupBy(args.kept, (row) => row.slot);
  const seated = args.seats.map((seat): Transition => {
    const { slot, service, machine } = seat;
    const { digest, template } = pinnedOf(args.pinned, service);
    const before = args.live.bySlot.get(slot) ?? null;
    const row = { slot, service, machine, spec: digest, template };
    if (before?.machine === machine && before.template === template)
      return { kind: 'keep', slot, service, before, after: { ...row, deploy: before.deploy } };
    const again = (keptBySlot.get(slot) ?? [])
      .filter((it) => it.machine === machine && it.template === template)
      .map((it) => it.deploy)
      .toSorted()
      .at(-1);
    const after = { ...row, deploy: again ?? null };
    return before === null
      ? { kind: 'add', slot, service, before, after }
      : { kind: 'replace', slot, service, before, after };
  });
  const stays = new Set(args.seats.map((seat) => seat.slot));
  const dropped = args.live.rows
    .filter((row) => !stays.has(row.slot))
    .map((before): Transition => ({ kind: 'drop', slot: before.slot, service: before.service, before, after: null }));
  return [...seated, ...dropped].toSorted(bySlot);
}

function pinnedOf(pinned: ReadonlyMap<ServiceName, Pinned>, service: ServiceName): Pinned {
  const found = pinned.get(service);
  if (found === undefined) throw new Error(`service ${service} has a slot but no pinned spec`);
  return found;
}
