/** Occupancy: what each machine carries while slots are placed one after another. */
import type { MachineName, ServiceName } from '../../schemas/names.ts';
import type { Release } from '../../schemas/release.ts';
import { type Placeable, shorten } from './candidates.ts';
import { hostPorts } from './claims.ts';
import type { MachineView } from './input.ts';
import { byText } from './order.ts';
import { sizeText } from './show.ts';

/** Why a slot does not fit. */
export type Obstacle = 'memory' | 'port';

export interface Occupancy {
  /** null: one more slot of the service fits. Memory is counted by limits, and only where both sides are known. */
  obstacle(machine: MachineView, service: Placeable): Obstacle | null;
  /** Whether so much memory is left, where that is known. */
  fitsMemory(machine: MachineView, memoryBytes: number): boolean;
  take(machine: MachineName, service: Placeable): void;
  /** The emptiest for the service: fewest slots of it, then fewest slots at all, then by name. */
  emptiest(machines: readonly MachineView[], service: ServiceName | null): MachineView | undefined;
  /** What is left by limits, as words. */
  leftText(machines: readonly MachineView[]): string;
}

/** Starts with the slots of other namespaces: they count for spreading; their limits are not known here. */
export function createOccupancy(others: readonly Release[]): Occupancy {
  const slots = new Map<string, number>();
  const memory = new Map<MachineName, number>();
  const ports = new Set<string>();
  for (const release of others) for (const row of release.slots) add(slots, row.machine, 1);

  const left = (view: MachineView) => (view.memoryBytes ?? Infinity) - (memory.get(view.machine.name) ?? 0);
  const ofService = (machine: string, service: ServiceName | null) =>
    service === null ? 0 : (slots.get(`${machine} ${service}`) ?? 0);
  const total = (machine: string) => slots.get(machine) ?? 0;

  return {
    obstacle(view, service) {
      if (hostPorts(service).some((it) => ports.has(`${view.machine.name} ${it.key}`))) return 'port';
      return (service.template.memoryBytes ?? 0) > left(view) ? 'memory' : null;
    },
    fitsMemory: (view, memoryBytes) => memoryBytes <= left(view),
    take(machine, service) {
      add(slots, machine, 1);
      add(slots, `${machine} ${service.name}`, 1);
      add(memory, machine, service.template.memoryBytes ?? 0);
      for (const it of hostPorts(service)) ports.add(`${machine} ${it.key}`);
    },
    emptiest(machines, service) {
      let best: MachineView | undefined;
      for (const it of machines) {
        const [a, b] = [it.machine.name, best?.machine.name];
        const order =
          b === undefined ? -1 : ofService(a, service) - ofService(b, service) || total(a) - total(b) || byText(a, b);
        if (order < 0) best = it;
      }
      return best;
    },
    leftText(machines) {
      const texts = machines.map(
        (it) => `${it.machine.name} ${it.memoryBytes === null ? 'unknown' : sizeText(Math.max(0, left(it)))}`,
      );
      return shorten(texts);
    },
  };
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
