/** Seats wanted: which slots a service has, and which machine each of them already is on. */
import { type MachineName, type ServiceName, slotIndex, slotName } from '../../schemas/names.ts';
import type { SlotRow } from '../../schemas/release.ts';
import type { Placeable } from './candidates.ts';
import type { MachineView } from './input.ts';
import type { Seat } from './transitions.ts';

/** `machine` null: any candidate will do. `fixed`: no other machine will. */
export interface Wish {
  readonly slot: Seat['slot'];
  readonly service: ServiceName;
  readonly machine: MachineName | null;
  readonly fixed: boolean;
  /** The released row of the slot, when it is on that machine. */
  readonly row: SlotRow | null;
}

/**
 * The wished slots of a service, in order of index.
 *
 * Replicated: 0 … count-1, so scaling down drops the highest. Global: one a candidate; slots on machines that are still
 * candidates keep their index, new machines take the lowest free ones in order of name.
 */
export function wishesOf(service: Placeable, candidates: readonly MachineView[], rows: readonly SlotRow[]): Wish[] {
  if (service.job) return [];
  const admitted = new Set(candidates.map((it) => it.machine.name));
  const staying = new Map(rows.filter((row) => admitted.has(row.machine)).map((row) => [slotIndex(row.slot), row]));
  const { replicaCount } = service.placement;
  if (replicaCount === null) return globalWishes(service.name, [...admitted], staying);
  return Array.from({ length: replicaCount }, (_, index): Wish => {
    const row = staying.get(index) ?? null;
    const slot = slotName(service.name, index);
    return { slot, service: service.name, machine: row?.machine ?? null, fixed: false, row };
  });
}

function globalWishes(service: ServiceName, machines: MachineName[], staying: ReadonlyMap<number, SlotRow>): Wish[] {
  const taken = new Map<MachineName, number>();
  for (const [index, row] of [...staying].toSorted(([a], [b]) => a - b))
    if (!taken.has(row.machine)) taken.set(row.machine, index);
  const used = new Set(taken.values());
  let next = 0;
  for (const machine of machines.filter((it) => !taken.has(it)).toSorted()) {
    while (used.has(next)) next += 1;
    used.add(next);
    taken.set(machine, next);
  }
  return [...taken]
    .toSorted(([, a], [, b]) => a - b)
    .map(([machine, index]): Wish => {
      const row = staying.get(index) ?? null;
      const mine = row?.machine === machine ? row : null;
      return { slot: slotName(service, index), service, machine, fixed: true, row: mine };
    });
}
