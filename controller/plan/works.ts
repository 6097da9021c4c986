/** Works: who has something to start in this plan, in which batches, after whom. */
import type { MachineName, ServiceName } from '../../schemas/names.ts';
import { type Batch, batchesOf } from './batches.ts';
import type { Waiting } from './levels.ts';
import type { Live } from './live.ts';
import { groupBy, sortedBy } from './order.ts';
import type { Pinned } from './pin.ts';
import { createSets } from './sets.ts';
import type { Transition } from './transitions.ts';
import { stopFirstUnits } from './units.ts';

/** A job that has to run. */
export interface JobOrder {
  readonly service: ServiceName;
  readonly machine: MachineName;
}

/** Services that advance together: one, or all that share a stop-first unit. */
export interface Work extends Waiting {
  readonly services: readonly ServiceName[];
  /** One list of batches for each of the services that leads some; side by side. */
  readonly tracks: readonly (readonly Batch[])[];
  readonly job: JobOrder | null;
}

/** Works in order of name. A dependency without work in this plan adds no wait. */
export function worksOf(args: {
  readonly transitions: readonly Transition[];
  readonly pinned: ReadonlyMap<ServiceName, Pinned>;
  readonly live: Live;
  readonly jobs: readonly JobOrder[];
}): Work[] {
  const { pinned, transitions } = args;
  const units = stopFirstUnits(args);
  const inUnits = new Set(units.flatMap((unit) => unit.starts.map((it) => it.slot)));
  const ledBy = groupBy(units, (unit) => unit.starts[0]?.service ?? '');
  const slots = groupBy(transitions, (it) => it.service);

  const together = createSets();
  for (const unit of units)
    for (const it of unit.starts) together.union(unit.starts[0]?.service ?? it.service, it.service);

  const tracks = new Map<ServiceName, readonly Batch[]>();
  for (const [service, { spec }] of pinned) {
    const mine = slots.get(service) ?? [];
    const count = mine.filter((it) => it.after !== null).length;
    tracks.set(service, batchesOf({ spec, slots: mine, units: ledBy.get(service) ?? [], inUnits, count }));
  }
  const jobs = new Map(args.jobs.map((it) => [it.service, it]));
  const started = (service: ServiceName) =>
    jobs.has(service) || (slots.get(service) ?? []).some((it) => it.kind === 'add' || it.kind === 'replace');
  const names = [...pinned.keys()].filter(started);
  const groups = groupBy(names, (it) => together.rootOf(it));
  const works = [...groups].map(
    ([root, services]): Work => ({
      name: root,
      services,
      tracks: services.map((it) => tracks.get(it) ?? []).filter((it) => it.length > 0),
      job: services.map((it) => jobs.get(it)).find((it) => it !== undefined) ?? null,
      waitsFor: [
        ...new Set(
          services.flatMap((it) =>
            Object.keys(pinned.get(it)?.spec.dependsOn ?? {}).map((name) => together.rootOf(name)),
          ),
        ),
      ],
    }),
  );
  return sortedBy(works, (it) => it.name);
}
