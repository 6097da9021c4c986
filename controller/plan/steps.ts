/** Steps: the records that a phase is made of, with ids that are unique in a plan and the same each time it is made. */
import { digestOf } from '../../schemas/canonical.ts';
import type { MachineName, ServiceName } from '../../schemas/names.ts';
import type { PlanStep } from '../../schemas/plan.ts';
import type { VolumeRow } from '../../schemas/release.ts';
import type { VolumeSpec } from '../../schemas/service.ts';
import { groupBy, sortedBy } from './order.ts';
import type { Pinned } from './pin.ts';
import type { Unit } from './units.ts';
import type { JobOrder } from './works.ts';

type SwapStep = Extract<PlanStep, { verb: 'swap' }>;
const ID_HEX_DIGITS = 12;

/** Pinned spec by name; a missing one is a bug and throws. */
export type PinnedOf = (service: ServiceName) => Pinned;

/**
 * The steps of one unit: on each machine a swap of what stops and starts there, or plain starts.
 *
 * @returns a second list where a service with `recreate` moves: what starts on other machines waits until all stopped
 */
export function unitSteps(unit: Unit, phase: number, pinnedOf: PinnedOf): [PlanStep[], PlanStep[]] {
  const stops = groupBy(unit.stops, (it) => it.machine);
  const starts = groupBy(unit.starts, (it) => it.machine);
  const deadlineMs = Math.max(0, ...unit.starts.map((it) => pinnedOf(it.service).spec.deadlineMs));
  const swaps = [...stops].map(
    ([machine, stopping]): SwapStep => ({
      id: `${phase}/swap/${machine}/${(starts.get(machine) ?? stopping)[0]?.slot}`,
      verb: 'swap',
      machine,
      stops: stopping,
      starts: starts.get(machine) ?? [],
      deadlineMs,
    }),
  );
  const moved = [...starts].filter(([machine]) => !stops.has(machine)).flatMap(([, slots]) => slots);
  const services = new Set([...unit.starts, ...unit.stops].map((it) => it.service));
  const recreate = unit.starts.every((it) => pinnedOf(it.service).spec.strategy.kind === 'recreate');
  // Not when services change places: a checkpoint in between would name two that hold the same.
  const later = recreate && services.size === 1 && swaps.length > 0;
  const plain = moved.map((slot): PlanStep => {
    const id = `${later ? phase + 1 : phase}/start/${slot.slot}`;
    return { id, verb: 'start', machine: slot.machine, slot };
  });
  return later ? [swaps, plain] : [[...swaps, ...plain], []];
}

/** The step that runs a job. */
export function jobStep({ service, machine }: JobOrder, phase: number, pinnedOf: PinnedOf): PlanStep {
  const { digest, template } = pinnedOf(service);
  return { id: `${phase}/job/${service}`, verb: 'job', machine, service, spec: digest, template };
}

/** What has to be on the machines before anything starts: each image once a machine, and the new volumes. */
export function prepareSteps(args: {
  readonly steps: readonly PlanStep[];
  readonly newVolumes: readonly VolumeRow[];
  readonly volumes: readonly VolumeSpec[];
  readonly pinnedOf: PinnedOf;
}): PlanStep[] {
  const pulls = new Map<string, PlanStep>();
  for (const { machine, service } of args.steps.flatMap(fills)) {
    const { spec } = args.pinnedOf(service);
    if (spec.pullPolicy === 'never') continue;
    const { image } = spec.template;
    const id = `prepare/pull/${machine}/${digestOf(image).slice(0, ID_HEX_DIGITS)}`;
    if (!pulls.has(id)) pulls.set(id, { id, verb: 'pull', machine, image, imageName: spec.imageName });
  }
  const specs = new Map(args.volumes.map((it) => [it.name, it]));
  const volumes = args.newVolumes.map(({ volume, machine }): PlanStep => {
    const spec = specs.get(volume);
    if (spec === undefined) throw new Error(`volume ${volume} is mounted but not declared`);
    return { id: `prepare/volume/${machine}/${volume}`, verb: 'volume', machine, volume: spec };
  });
  return [...sortedBy(pulls.values(), (it) => it.id), ...volumes];
}

/** Which services a step starts on which machine. */
function fills(step: PlanStep): { readonly machine: MachineName; readonly service: ServiceName }[] {
  switch (step.verb) {
    case 'start':
      return [step.slot];
    case 'swap':
      return step.starts;
    case 'job':
      return [step];
    case 'pull':
    case 'volume':
      return [];
  }
}
