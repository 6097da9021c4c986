/** Seating of volume groups: all of a group's slots and jobs on one machine, and its new volumes there too. */
import type { MachineName, NamespaceName, VolumeName } from '../../schemas/names.ts';
import type { VolumeRow } from '../../schemas/release.ts';
import { type Placeable, shorten } from './candidates.ts';
import type { MachineView, PlanFailure } from './input.ts';
import type { Live } from './live.ts';
import type { Occupancy } from './occupancy.ts';
import { groupBy, sortedBy } from './order.ts';
import { pinOf, type VolumeGroup, volumesOf } from './place-volumes.ts';
import type { Seating } from './seating.ts';
import { wishesOf } from './seats.ts';

interface GroupArgs {
  readonly namespace: NamespaceName;
  readonly groups: readonly VolumeGroup[];
  readonly volumeRows: readonly VolumeRow[];
  readonly machines: ReadonlyMap<MachineName, MachineView>;
  readonly candidates: (service: Placeable) => readonly MachineView[];
  readonly live: Live;
  readonly occupancy: Occupancy;
  readonly seating: Seating;
}

/** Seats every group; gives the volumes that have to be made, and what keeps a group from its volumes. */
export function placeGroups(args: GroupArgs): {
  readonly newVolumes: readonly VolumeRow[];
  readonly failures: readonly PlanFailure[];
} {
  const sorted = sortedBy(args.volumeRows, (it) => `${it.volume} ${it.machine}`);
  const rows: ReadonlyMap<VolumeName, readonly VolumeRow[]> = groupBy(sorted, (it) => it.volume);
  const newVolumes: VolumeRow[] = [];
  const failures: PlanFailure[] = [];
  for (const group of args.groups) {
    const pin = pinOf({ ...args, group, rows });
    const view = pin.machine === null ? chooseMachine(group, args) : args.machines.get(pin.machine);
    const reasons =
      pin.failures.length > 0 ? pin.failures : view === undefined ? apart(group) : spreading(group, view, args);
    failures.push(...reasons);
    if (reasons.length > 0 || view === undefined) continue;
    for (const service of group.services) seatOn(view, service, args);
    for (const volume of group.volumes) if (!rows.has(volume)) newVolumes.push({ volume, machine: view.machine.name });
  }
  return { newVolumes: sortedBy(newVolumes, (it) => it.volume), failures };
}

function seatOn(view: MachineView, service: Placeable, { live, seating }: GroupArgs): void {
  if (service.job) {
    seating.seatJob(service, [view]);
    return;
  }
  const wishes = wishesOf(service, [view], live.byService.get(service.name) ?? []);
  seating.keep(service, wishes);
  seating.seat(service, wishes, [view]);
}

/** Where the first live slot of the group is, or else the emptiest machine that has the memory for all of it. */
function chooseMachine(group: VolumeGroup, { candidates, live, occupancy }: GroupArgs): MachineView | undefined {
  const [first, ...rest] = group.services.map(candidates);
  const common = (first ?? []).filter((it) => rest.every((list) => list.includes(it)));
  const homes = group.services.flatMap((it) => live.byService.get(it.name) ?? []).map((row) => row.machine);
  const home = homes.map((name) => common.find((it) => it.machine.name === name)).find((it) => it !== undefined);
  if (home !== undefined) return home;
  const memoryBytes = group.services.map(limitOf).reduce((sum, it) => sum + it, 0);
  const roomy = common.filter((it) => occupancy.fitsMemory(it, memoryBytes));
  return occupancy.emptiest(roomy.length > 0 ? roomy : common, null);
}

function limitOf({ template, placement, job }: Placeable): number {
  return (template.memoryBytes ?? 0) * (job ? 0 : (placement.replicaCount ?? 1));
}

/** A global service wants a slot on every machine; its volume is on one of them. */
function spreading(group: VolumeGroup, view: MachineView, { candidates }: GroupArgs): PlanFailure[] {
  return group.services
    .filter((it) => !it.job && it.placement.replicaCount === null && candidates(it).length > 1)
    .map((it) => ({
      code: 'VOLUME_PINNED',
      service: it.name,
      message: `a global service has a slot on each of ${shorten(candidates(it).map((c) => c.machine.name))}, but volume ${volumesOf(it)[0]} is only on ${view.machine.name}; name that machine in its placement`,
    }));
}

function apart({ services, volumes }: VolumeGroup): PlanFailure[] {
  const names = shorten(services.map((it) => it.name));
  const message = `${names} share ${shorten(volumes)}, but no machine satisfies the placement of all of them`;
  return services.map((it) => ({ code: 'NO_CAPACITY', service: it.name, message }));
}
