/** Candidates: the machines that a placement admits. */
import type { DesiredService, Placement } from '../../schemas/service.ts';
import type { MachineView, PlanFailure } from './input.ts';
import { constraintText } from './show.ts';

/** A service as placing sees it: its image does not matter, so that a missing one hides no other failure. */
export type Placeable = DesiredService;

/** Machines that satisfy all constraints of the placement, in the order of `machines`. */
export function candidatesOf(placement: Placement, machines: readonly MachineView[]): MachineView[] {
  const { labels, region, zone } = placement;
  const named = new Set(placement.machines);
  return machines.filter(
    ({ machine }) =>
      (named.size === 0 || named.has(machine.name)) &&
      Object.entries(labels).every(
        ([name, value]) => Object.hasOwn(machine.labels, name) && machine.labels[name] === value,
      ) &&
      (region === null || machine.region === region) &&
      (zone === null || machine.zone === zone),
  );
}

/** Whether the service needs a machine: it has slots, or is a job. */
export function needsMachine(service: Placeable): boolean {
  return service.job || service.placement.replicaCount !== 0;
}

/** Why a service that needs a machine has none. */
export function noCandidate(service: Placeable, machines: readonly MachineView[]): PlanFailure {
  const names = machines.map((it) => it.machine.name);
  const known = names.length === 0 ? 'no machine has joined' : `the machines are ${shorten(names)}`;
  const wanted = constraintText(service.placement);
  return {
    code: 'NO_CAPACITY',
    service: service.name,
    message: wanted === '' ? `there is no machine to run it on: ${known}` : `no machine satisfies ${wanted}; ${known}`,
  };
}

/** The first names, and how many more there are. */
export function shorten(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
