/** Builders for plans: planned from an input, and what is known once a plan was carried out. */
import { buildPlan } from '../../controller/plan/build.ts';
import type { PlanFailure, PlanInput } from '../../controller/plan/input.ts';
import { releaseFrom } from '../../controller/plan/target.ts';
import type { Plan, PlanStep } from '../../schemas/plan.ts';
import { specDigest } from '../../schemas/service.ts';
import { planInput } from './plan-input.ts';
import { deployId } from './release.ts';

type Overrides = Parameters<typeof planInput>[0];

/** The plan of an input; throws when there is none. */
export function planOf(overrides: Overrides = {}): Plan {
  const result = buildPlan(planInput(overrides));
  if (!result.ok) throw new Error(result.failures.map((it) => `${it.code} ${it.service} ${it.message}`).join('\n'));
  return result.plan;
}

/** Why there is no plan; empty when there is one. */
export function failuresOf(overrides: Overrides = {}): readonly PlanFailure[] {
  const result = buildPlan(planInput(overrides));
  return result.ok ? [] : result.failures;
}

/** What the next plan starts from after this one was carried out by deploy number `index`. */
export function appliedTo(
  input: Pick<PlanInput, 'finishedJobs'>,
  plan: Plan,
  index = 1,
): Pick<PlanInput, 'released' | 'tip' | 'volumeRows' | 'finishedJobs'> {
  const phase = plan.phases.at(-1);
  if (phase === undefined) throw new Error('a plan without phases');
  const n = plan.basis.tip + 1;
  const at = '2026-01-02T00:00:00.000Z';
  const release = releaseFrom({ plan, phase, deploy: deployId(index), n, at, actor: 'loop' });
  const jobs = plan.phases.flatMap((it) => it.steps).flatMap((it) => (it.verb === 'job' ? [it] : []));
  return {
    released: { release, specs: new Map(plan.services.map((spec) => [specDigest(spec), spec])) },
    tip: n,
    volumeRows: plan.volumeRows,
    finishedJobs: [...input.finishedJobs, ...jobs.map(({ service, template }) => ({ service, template }))],
  };
}

/** A phase in short: `start web.0@m1; swap m1 -db.0 +db.0`, without prepare. */
export function shortSteps(plan: Plan): string[] {
  const phases = plan.phases.filter((it) => it.title !== 'prepare');
  return phases.map((it) =>
    `${it.steps.map(shortStep).join('; ')}${it.commit === 'none' ? '' : ` [${it.commit}]`}`.trim(),
  );
}

function shortStep(step: PlanStep): string {
  switch (step.verb) {
    case 'pull':
      return `pull ${step.imageName}@${step.machine}`;
    case 'volume':
      return `volume ${step.volume.name}@${step.machine}`;
    case 'job':
      return `job ${step.service}@${step.machine}`;
    case 'start':
      return `start ${step.slot.slot}@${step.machine}`;
    case 'swap':
      return `swap ${step.machine}${step.stops.map((it) => ` -${it.slot}`).join('')}${step.starts.map((it) => ` +${it.slot}`).join('')}`;
  }
}
