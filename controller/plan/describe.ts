/** Describe: what both renderers say about a plan, in the same words. */
import type { ServiceName } from '../../schemas/names.ts';
import type { Change, Phase, Plan, PlannedSlot, PlanStep } from '../../schemas/plan.ts';
import { imageText, type ServiceSpec } from '../../schemas/service.ts';
import { groupBy } from './order.ts';
import { volumesOf } from './place-volumes.ts';
import { constraintText, durationText } from './show.ts';

/** `sha256:` and twelve digits. */
const DIGEST_SHOWN = 19;

/** `+` create, `~` update, `-` remove, ` ` unchanged. */
export const MARKS = { create: '+', update: '~', remove: '-', unchanged: ' ' } as const satisfies Record<
  Change['kind'],
  string
>;

/** One line: `Plan: 2 to create, … Downtime: none. Plan id: …`. */
export function summary(plan: Plan): string {
  const count = (kind: Change['kind']) => plan.changes.filter((it) => it.kind === kind).length;
  const counts = `${count('create')} to create, ${count('update')} to update, ${count('remove')} to remove, ${count('unchanged')} unchanged`;
  return `Plan: ${counts}. Downtime: ${downtimeWords(plan)}. Plan id: ${plan.id}`;
}

/** `none`, or how long the service that is away longest will be. */
export function downtimeWords({ downtime }: Pick<Plan, 'downtime'>): string {
  if (downtime.class === 'none') return 'none';
  const worstMs = downtime.services.reduce((most, it) => Math.max(most, it.worstMs), 0);
  const expectedMs = downtime.services.reduce((most, it) => Math.max(most, it.expectedMs), 0);
  return `about ${durationText(expectedMs)}, at worst ${durationText(worstMs)}`;
}

/** What the plan is about: `production: deploy of 1a2b3c4d5e6f over release 3`. */
export function heading(plan: Plan): string {
  const { basis, kind } = plan;
  const what = {
    deploy: basis.revision === null ? 'deploy' : `deploy of ${basis.revision.slice(0, 12)}`,
    rollback: `rollback to release ${plan.rollbackTo}`,
    remove: 'removal',
  } as const satisfies Record<Plan['kind'], string>;
  return `${plan.namespace}: ${what[kind]}${basis.release === null ? ', nothing is live' : ` over release ${basis.release}`}`;
}

/** Where the slots of each service are: the table of the last commit. */
export function targetSlots(plan: Plan): ReadonlyMap<ServiceName, readonly PlannedSlot[]> {
  return groupBy(plan.phases.at(-1)?.slots ?? [], (it) => it.service);
}

/** Why the slots are where they are. */
export function placementReason(spec: ServiceSpec): string {
  const volumes = volumesOf(spec);
  if (volumes.length > 0) return `volume ${volumes.join(', ')} is there`;
  const constraints = constraintText(spec.placement);
  if (spec.placement.replicaCount === null)
    return constraints === '' ? 'every machine' : `every machine of ${constraints}`;
  return constraints === '' ? 'spread evenly' : constraints;
}

/** `registry/app:1` and the beginning of the digest that it stands for now. */
export function imageWords(spec: ServiceSpec): { readonly name: string; readonly pinned: string } {
  const { image } = spec.template;
  return { name: spec.imageName, pinned: ('repo' in image ? image.digest : imageText(image)).slice(0, DIGEST_SHOWN) };
}

/** A step as words; `name` marks foreign words, `list` does so for all names of slots. */
export function stepWords(
  step: PlanStep,
  name: (text: string) => string,
  list: (names: readonly string[]) => string = (names) => names.map((it) => name(it)).join(', '),
): string {
  const slots = (rows: readonly PlannedSlot[]) => list(rows.map((it) => it.slot));
  const at = name(step.machine);
  switch (step.verb) {
    case 'pull':
      return `pull ${name(step.imageName)} on ${at}`;
    case 'volume':
      return `make volume ${name(step.volume.name)} on ${at}`;
    case 'job':
      return `run job ${name(step.service)} on ${at}`;
    case 'start':
      return `start ${name(step.slot.slot)} on ${at}${step.slot.deploy === null ? '' : ', or go on with the one that still runs'}`;
    case 'swap':
      return step.starts.length === 0
        ? `stop ${slots(step.stops)} on ${at}`
        : `on ${at} stop ${slots(step.stops)}, then start ${slots(step.starts)} (ready within ${durationText(step.deadlineMs)}, or back)`;
  }
}

/** What a phase appends, as words; empty: nothing. */
export function commitWords(phase: Phase, kind: Plan['kind']): string {
  const hold = phase.holdMs > 0 ? `; what it replaces is kept for ${durationText(phase.holdMs)}` : '';
  if (phase.commit === 'none') return '';
  if (kind === 'remove') return 'the namespace is gone';
  return `${phase.commit === 'final' ? 'the release' : 'a checkpoint release'} goes live${hold}`;
}
