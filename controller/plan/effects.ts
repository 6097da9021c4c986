/** Effects: what a plan does, in numbers and names. Pure. */
import type { ServiceName, VolumeName } from '../../schemas/names.ts';
import type { Change, Plan, PlannedSlot } from '../../schemas/plan.ts';
import { volumesOf } from './place-volumes.ts';

export interface Effects {
  /** Services by what happens to them. */
  readonly changes: Readonly<Record<Change['kind'], number>>;
  /** Updated services whose containers stay. */
  readonly inPlace: number;
  /** Instances of updated services that are replaced by new ones. */
  readonly restarts: number;
  readonly jobs: readonly ServiceName[];
  readonly volumesMade: readonly VolumeName[];
  /** Volumes that were there and get other instances: nothing of their data changes by itself. */
  readonly volumesHandedOver: readonly VolumeName[];
}

/** What carrying the plan out comes to. */
export function effectsOf(plan: Plan): Effects {
  const steps = plan.phases.flatMap((it) => it.steps);
  const starts = steps.flatMap((it): readonly PlannedSlot[] =>
    it.verb === 'start' ? [it.slot] : it.verb === 'swap' ? it.starts : [],
  );
  const changes = { create: 0, update: 0, remove: 0, unchanged: 0 };
  for (const { kind } of plan.changes) changes[kind] += 1;
  const updated = new Set(plan.changes.flatMap((it) => (it.kind === 'update' ? [it.service] : [])));
  const jobs = steps.flatMap((it) => (it.verb === 'job' ? [it.service] : []));
  const made = new Set(steps.flatMap((it) => (it.verb === 'volume' ? [it.volume.name] : [])));
  const starting = new Set([...starts.map((it) => it.service), ...jobs]);
  const mounted = plan.services.filter((it) => starting.has(it.name)).flatMap(volumesOf);
  return {
    changes,
    inPlace: plan.changes.filter((it) => it.kind === 'update' && it.disruption === 'in-place').length,
    restarts: starts.filter((it) => updated.has(it.service)).length,
    jobs,
    volumesMade: [...made].toSorted(),
    volumesHandedOver: [...new Set(mounted)].filter((it) => !made.has(it)).toSorted(),
  };
}
