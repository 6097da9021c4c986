/**
 * The plan id: sha256 of the plan's effect, so that an approval is for what happens and for nothing else.
 *
 * Not in it: the source revision, which machine a stateless slot is on, what was observed, deploy ids. So the plan of a
 * pull request and of its squash merge have the same id.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { Digest } from '../../schemas/names.ts';
import type { Phase, Plan, PlanStep } from '../../schemas/plan.ts';
import { type ServiceSpec, specDigest, type VolumeSpec } from '../../schemas/service.ts';
import { sortedBy } from './order.ts';

/** What the id is made of. */
export type Effect = Pick<Plan, 'namespace' | 'kind' | 'services' | 'volumes' | 'changes' | 'phases' | 'downtime'>;

/** sha256 of the effect. */
export function planId(plan: Effect): Digest {
  const steps = plan.phases.flatMap((it) => it.steps);
  return digestOf({
    namespace: plan.namespace,
    kind: plan.kind,
    services: Object.fromEntries(plan.services.map((it) => [it.name, specDigest(it)])),
    jobs: Object.fromEntries(steps.flatMap((it) => (it.verb === 'job' ? [[it.service, it.template]] : []))),
    removals: plan.changes.filter((it) => it.kind === 'remove').map((it) => it.service),
    routes: plan.services.flatMap((it) => it.routes.map((route) => ({ service: it.name, route }))),
    volumes: sortedBy(steps.flatMap(volumeAction), (it) => it.volume.name),
    phases: plan.phases.map(order),
    downtime: { class: plan.downtime.class, services: plan.downtime.services.map((it) => it.service) },
  } satisfies Record<string, unknown>);
}

function volumeAction(step: PlanStep): { volume: VolumeSpec; machine: string }[] {
  return step.verb === 'volume' ? [{ volume: step.volume, machine: step.machine }] : [];
}

/** Who does what in a phase, by service: slots and machines are placement. Pulls change nothing. */
function order(phase: Phase) {
  const { steps, commit, holdMs } = phase;
  return {
    commit,
    holdMs,
    runs: names(steps, (it) => (it.verb === 'job' ? [it] : [])),
    starts: names(steps, (it) => (it.verb === 'start' ? [it.slot] : it.verb === 'swap' ? it.starts : [])),
    stops: names(steps, (it) => (it.verb === 'swap' ? it.stops : [])),
  };
}

function names(
  steps: readonly PlanStep[],
  of: (step: PlanStep) => readonly { readonly service: ServiceSpec['name'] }[],
) {
  return [...new Set(steps.flatMap(of).map((it) => it.service))].toSorted();
}
