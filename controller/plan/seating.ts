/**
 * Seating: turns wishes into seats, one after another, on machines that fill up.
 *
 * First come the slots that stay where they are and ask for nothing more (`keep`): what runs is never refused. The
 * rest follows in order of service and index (`seat`).
 */
import type { MachineName, ServiceName } from '../../schemas/names.ts';
import { type Placeable, shorten } from './candidates.ts';
import { hostPorts } from './claims.ts';
import type { MachineView, PlanFailure } from './input.ts';
import type { Live } from './live.ts';
import type { Obstacle, Occupancy } from './occupancy.ts';
import type { Wish } from './seats.ts';
import { sizeText } from './show.ts';
import type { Seat } from './transitions.ts';

export interface Seating {
  readonly seats: readonly Seat[];
  readonly jobs: ReadonlyMap<ServiceName, MachineName>;
  readonly failures: readonly PlanFailure[];
  /** Seats the wishes whose instance asks for no more than it has. */
  keep(service: Placeable, wishes: readonly Wish[]): void;
  /** Seats the others: on the machine they are on if they fit there, else on the emptiest of `machines`. */
  seat(service: Placeable, wishes: readonly Wish[], machines: readonly MachineView[]): void;
  /** Puts a job on the emptiest of `machines` that has the memory; it takes no seat. */
  seatJob(service: Placeable, machines: readonly MachineView[]): void;
}

export function createSeating(args: {
  readonly occupancy: Occupancy;
  readonly machines: ReadonlyMap<MachineName, MachineView>;
  readonly live: Live;
}): Seating {
  const { occupancy, live } = args;
  const seats: Seat[] = [];
  const seated = new Set<string>();
  const jobs = new Map<ServiceName, MachineName>();
  const failures: PlanFailure[] = [];

  function sit(service: Placeable, { slot }: Wish, machine: MachineName): void {
    occupancy.take(machine, service);
    seats.push({ slot, service: service.name, machine });
    seated.add(slot);
  }

  function refuse(service: Placeable, what: string, tried: readonly MachineView[]): void {
    const obstacles = new Set(tried.map((it) => occupancy.obstacle(it, service)));
    failures.push(refusal(service, what, obstacles, tried, occupancy));
  }

  function asksForMore(service: Placeable, wish: Wish): boolean {
    if (wish.row === null) return true;
    const before = live.specOf(wish.row.spec);
    const held = new Set(hostPorts(before).map((it) => it.key));
    const memory = (service.template.memoryBytes ?? 0) > (before.template.memoryBytes ?? 0);
    return memory || hostPorts(service).some((it) => !held.has(it.key));
  }

  return {
    seats,
    jobs,
    failures,
    keep(service, wishes) {
      for (const wish of wishes) {
        const view = wish.machine === null ? undefined : args.machines.get(wish.machine);
        if (view !== undefined && !asksForMore(service, wish)) sit(service, wish, view.machine.name);
      }
    },
    seat(service, wishes, machines) {
      for (const wish of wishes.filter((it) => !seated.has(it.slot))) {
        const home = wish.machine === null ? undefined : args.machines.get(wish.machine);
        const tried = home !== undefined && wish.fixed ? [home] : machines;
        const fitting = tried.filter((it) => occupancy.obstacle(it, service) === null);
        const machine = home !== undefined && fitting.includes(home) ? home : occupancy.emptiest(fitting, service.name);
        if (machine !== undefined) {
          sit(service, wish, machine.machine.name);
          continue;
        }
        refuse(service, wish.slot, tried);
        return;
      }
    },
    seatJob(service, machines) {
      const fitting = machines.filter((it) => occupancy.fitsMemory(it, service.template.memoryBytes ?? 0));
      const machine = occupancy.emptiest(fitting, null);
      if (machine === undefined) refuse(service, `job ${service.name}`, machines);
      else jobs.set(service.name, machine.machine.name);
    },
  };
}

function refusal(
  service: Placeable,
  what: string,
  obstacles: ReadonlySet<Obstacle | null>,
  tried: readonly MachineView[],
  occupancy: Occupancy,
): PlanFailure {
  const names = shorten(tried.map((it) => it.machine.name));
  if (obstacles.has('port')) {
    const ports = hostPorts(service).map((it) => it.key.replace('/', ' port '));
    const message = `${what} opens ${shorten(ports)} on its machine, and another slot already does on each of ${names}`;
    return { code: obstacles.has('memory') ? 'NO_CAPACITY' : 'PORT_CONFLICT', service: service.name, message };
  }
  const needed = sizeText(service.template.memoryBytes ?? 0);
  const message = `${what} may use ${needed} of memory; left by limits: ${occupancy.leftText(tried)}`;
  return { code: 'NO_CAPACITY', service: service.name, message };
}
