/**
 * Place: which machine each slot is on.
 *
 * An existing slot keeps its machine while that satisfies the constraints. Others are spread: fewest slots of the
 * service, then fewest slots at all, then by name. Volumes pin (place-groups.ts). The order of inputs changes nothing.
 */
import type { MachineName, NamespaceName, ServiceName } from '../../schemas/names.ts';
import type { Release, VolumeRow } from '../../schemas/release.ts';
import type { Placement } from '../../schemas/service.ts';
import { candidatesOf, needsMachine, noCandidate, type Placeable } from './candidates.ts';
import type { MachineView, PlanFailure } from './input.ts';
import type { Live } from './live.ts';
import { createOccupancy } from './occupancy.ts';
import { sortedBy } from './order.ts';
import { placeGroups } from './place-groups.ts';
import { volumeGroups } from './place-volumes.ts';
import { createSeating } from './seating.ts';
import { wishesOf } from './seats.ts';
import type { Seat } from './transitions.ts';

export interface Placing {
  readonly seats: readonly Seat[];
  /** Machine of every job. */
  readonly jobs: ReadonlyMap<ServiceName, MachineName>;
  /** Volumes that lie nowhere yet, with the machine that they are made on; in order of name. */
  readonly newVolumes: readonly VolumeRow[];
  readonly failures: readonly PlanFailure[];
}

/** A seat for every slot of every service and a machine for every job, or why not. */
export function place(args: {
  readonly namespace: NamespaceName;
  /** In order of name. */
  readonly services: readonly Placeable[];
  readonly machines: readonly MachineView[];
  readonly live: Live;
  readonly volumeRows: readonly VolumeRow[];
  readonly others: readonly Release[];
}): Placing {
  const { live } = args;
  const inOrder = sortedBy(args.machines, (it) => it.machine.name);
  const machines = new Map(inOrder.map((it) => [it.machine.name, it]));
  const candidates = candidateLists(inOrder);
  const wanting = args.services.filter(needsMachine);
  const [placeable, homeless] = split(wanting, (it) => candidates(it).length > 0);

  const occupancy = createOccupancy(args.others);
  const seating = createSeating({ occupancy, machines, live });
  const groups = volumeGroups(placeable);
  const grouped = new Set(groups.flatMap((group) => group.services));
  const free = placeable
    .filter((it) => !grouped.has(it))
    .map((service) => ({
      service,
      machines: candidates(service),
      wishes: wishesOf(service, candidates(service), live.byService.get(service.name) ?? []),
    }));

  for (const it of free) seating.keep(it.service, it.wishes);
  const { newVolumes, failures } = placeGroups({ ...args, groups, machines, candidates, occupancy, seating });
  for (const it of free) seating.seat(it.service, it.wishes, it.machines);
  for (const it of free) if (it.service.job) seating.seatJob(it.service, it.machines);

  const lost = homeless.map((it) => noCandidate(it, inOrder));
  return {
    seats: seating.seats,
    jobs: seating.jobs,
    newVolumes,
    failures: [...lost, ...failures, ...seating.failures],
  };
}

/** Candidates by service; services with the same constraints share one list. */
function candidateLists(machines: readonly MachineView[]): (service: Placeable) => readonly MachineView[] {
  const lists = new Map<string, readonly MachineView[]>();
  return ({ placement }) => {
    const key = constraintKey(placement);
    const known = lists.get(key) ?? candidatesOf(placement, machines);
    lists.set(key, known);
    return known;
  };
}

function constraintKey({ machines, labels, region, zone }: Placement): string {
  return JSON.stringify([machines, sortedBy(Object.entries(labels), ([name]) => name), region, zone]);
}

function split<T>(values: readonly T[], test: (value: T) => boolean): [T[], T[]] {
  return [values.filter(test), values.filter((it) => !test(it))];
}
