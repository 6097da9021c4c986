/**
 * Volumes pin: services that share a volume live on the machine where it lies.
 *
 * A volume that lies nowhere yet goes where the first slot that mounts it goes. One that lies somewhere is never
 * replaced by an empty folder elsewhere: what cannot reach it fails here.
 */
import type { MachineName, NamespaceName, ServiceName, VolumeName } from '../../schemas/names.ts';
import type { VolumeRow } from '../../schemas/release.ts';
import { needsMachine, type Placeable, shorten } from './candidates.ts';
import type { MachineView, PlanFailure } from './input.ts';
import { groupBy } from './order.ts';
import { createSets } from './sets.ts';

/** Services that have to be on one machine, in order of name. */
export interface VolumeGroup {
  readonly services: readonly Placeable[];
  readonly volumes: readonly VolumeName[];
}

/** Names of the volumes that a service mounts, each once, in order. */
export function volumesOf(service: Placeable): VolumeName[] {
  const names = service.template.mounts.flatMap((it) => (it.kind === 'volume' ? [it.volume] : []));
  return [...new Set(names)].toSorted();
}

/** The services that need a machine and mount volumes, grouped by what they share. */
export function volumeGroups(services: readonly Placeable[]): VolumeGroup[] {
  const sets = createSets();
  const mounting = services.filter((it) => needsMachine(it) && volumesOf(it).length > 0);
  for (const service of mounting)
    for (const it of volumesOf(service)) sets.union(`service ${service.name}`, `volume ${it}`);
  const groups = groupBy(mounting, (it) => sets.rootOf(`service ${it.name}`));
  return [...groups.values()].map((members) => ({
    services: members,
    volumes: [...new Set(members.flatMap(volumesOf))].toSorted(),
  }));
}

/** Where the group must be: on the one machine its volumes lie on, anywhere (null), or nowhere. */
export function pinOf(args: {
  readonly namespace: NamespaceName;
  readonly group: VolumeGroup;
  readonly rows: ReadonlyMap<VolumeName, readonly VolumeRow[]>;
  readonly machines: ReadonlyMap<MachineName, MachineView>;
  readonly candidates: (service: Placeable) => readonly MachineView[];
}): { readonly machine: MachineName | null; readonly failures: readonly PlanFailure[] } {
  const lying = args.group.volumes.flatMap((volume) => args.rows.get(volume) ?? []);
  const [pin] = lying;
  if (pin === undefined) return { machine: null, failures: [] };
  const failure = (service: ServiceName, message: string): PlanFailure => ({ code: 'VOLUME_PINNED', service, message });
  const migrate = (volume: VolumeName) => `move the data first: slipway volume migrate ${args.namespace}/${volume}`;

  const elsewhere = lying.find((it) => it.machine !== pin.machine);
  if (elsewhere !== undefined) {
    const places = lying.map((it) => `${it.volume} on ${it.machine}`);
    const message = `its volumes lie on different machines (${shorten(places)}), and it can only be on one; ${migrate(elsewhere.volume)}`;
    return { machine: null, failures: args.group.services.map((it) => failure(it.name, message)) };
  }
  const where = `volume ${pin.volume} lies on ${pin.machine}`;
  if (!args.machines.has(pin.machine)) {
    const message = `${where}, which is not a machine of this installation now; bring it back, or ${migrate(pin.volume)}`;
    return { machine: null, failures: args.group.services.map((it) => failure(it.name, message)) };
  }
  const kept = args.group.services.filter((it) => !args.candidates(it).some((m) => m.machine.name === pin.machine));
  const message = `${where}, which its placement does not admit; ${migrate(pin.volume)}`;
  return { machine: pin.machine, failures: kept.map((it) => failure(it.name, message)) };
}
