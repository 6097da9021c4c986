/** Warnings: what the planner cannot know, and only that. */
import type { ServiceSpec } from '../../schemas/service.ts';
import { shorten } from './candidates.ts';
import type { MachineView } from './input.ts';
import { volumesOf } from './place-volumes.ts';
import type { Seat } from './transitions.ts';

/** A sentence each, in a fixed order. */
export function warningsOf(args: {
  readonly services: readonly ServiceSpec[];
  readonly seats: readonly Seat[];
  readonly machines: readonly MachineView[];
}): string[] {
  return [...unknownMemory(args), ...manyWriters(args)];
}

function unknownMemory({ services, seats, machines }: Parameters<typeof warningsOf>[0]): string[] {
  const unknown = new Set(machines.filter((it) => it.memoryBytes === null).map((it) => it.machine.name));
  const limited = new Set(services.filter((it) => it.template.memoryBytes !== null).map((it) => it.name));
  const hit = seats.filter((it) => limited.has(it.service) && unknown.has(it.machine)).map((it) => it.machine);
  const names = [...new Set(hit)].toSorted();
  return names.length === 0
    ? []
    : [`The memory of ${shorten(names)} is not known now, so whether the limits fit there was not checked.`];
}

/** Whether programs agree to write to the same files at once is theirs to know. */
function manyWriters({ services, seats }: Parameters<typeof warningsOf>[0]): string[] {
  const slots = new Map<string, number>();
  for (const it of seats) slots.set(it.service, (slots.get(it.service) ?? 0) + 1);
  const writers = new Map<string, string[]>();
  for (const service of services) {
    const writable = service.template.mounts.filter((it) => it.kind === 'volume' && !it.readonly);
    for (const volume of volumesOf({ ...service, template: { ...service.template, mounts: writable } })) {
      const names = Array.from({ length: slots.get(service.name) ?? 0 }, (_, i) => `${service.name}.${i}`);
      writers.set(volume, [...(writers.get(volume) ?? []), ...names]);
    }
  }
  return [...writers]
    .filter(([, names]) => names.length > 1)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([volume, names]) => `Volume ${volume} is written by ${shorten(names)} at the same time.`);
}
