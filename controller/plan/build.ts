/**
 * The planner: (desired, released, machines, what is known of instances) → a plan, or every reason why there is none.
 *
 * Pure: the same inputs give the same bytes, whatever order they come in. The plan shown is the plan run.
 */
import type { Plan } from '../../schemas/plan.ts';
import { claimFailures, hostNetworkFailures } from './conflicts.ts';
import { approvalsOf, consentsOf, destructiveSteps } from './consent.ts';
import { diffServices } from './diff.ts';
import { downtimeOf } from './downtime.ts';
import { planId } from './id.ts';
import type { PlanFailure, PlanInput, PlanResult } from './input.ts';
import { liveOf } from './live.ts';
import { byText, sortedBy } from './order.ts';
import { phasesOf } from './phases.ts';
import { pinServices } from './pin.ts';
import { place } from './place.ts';
import { broughtBack } from './quarantine.ts';
import { transitionsOf } from './transitions.ts';
import { warningsOf } from './warnings.ts';
import { type JobOrder, worksOf } from './works.ts';

/** Plans one namespace. Never touches anything, and fails only with values. */
export function buildPlan(input: PlanInput): PlanResult {
  const { kind, desired, others, gatewayPorts } = input;
  const { namespace } = desired;
  const services = sortedBy(desired.services, (it) => it.name);
  const volumes = sortedBy(desired.volumes, (it) => it.name);
  const live = liveOf(input.released);

  const { pinned, failures: unpinned } = pinServices(services, input);
  const placing = place({ namespace, services, machines: input.machines, live, volumeRows: input.volumeRows, others });
  const released = input.released?.release ?? null;
  const failures = [
    ...unpinned,
    ...placing.failures,
    ...claimFailures({ namespace, services, others, gatewayPorts }),
    ...hostNetworkFailures({ services, seats: placing.seats, released, gatewayPorts }),
  ];
  if (failures.length > 0) return { ok: false, failures: inOrder(failures) };

  const transitions = transitionsOf({ seats: placing.seats, pinned, live, kept: input.keptRows });
  const changes = diffServices({ desired: pinned, live, transitions });
  const jobs = jobsToRun(input, pinned, placing.jobs);
  const works = worksOf({ transitions, pinned, live, jobs });
  const { newVolumes } = placing;
  const phases = phasesOf({ works, transitions, live, pinned, newVolumes, volumes });
  const downtime = downtimeOf({ phases, live, pinned });
  const volumeRows = sortedBy([...input.volumeRows, ...newVolumes], (it) => `${it.volume} ${it.machine}`);
  const specs = [...pinned.values()].map((it) => it.spec);
  const about = { kind, namespace, changes, live };
  const plan: Omit<Plan, 'id'> = {
    namespace,
    kind,
    managedBy: input.managedBy,
    basis: {
      tip: input.tip,
      release: released?.n ?? null,
      revision: input.revision,
      desiredDigest: input.desiredDigest,
      images: Object.fromEntries(specs.map((it) => [it.name, it.template.image])),
    },
    changes,
    services: specs,
    volumes,
    volumeRows,
    phases,
    downtime,
    warnings: warningsOf({ services: specs, seats: placing.seats, machines: input.machines }),
    destructive: destructiveSteps({ ...about, jobs, volumeRows }),
    // What a preview has can be made again: nobody is asked.
    consents:
      input.managedBy === 'preview'
        ? []
        : [
            ...consentsOf({ ...about, maxRemovePercent: input.maxRemovePercent }),
            ...(kind === 'rollback' ? [] : broughtBack({ specs, live, quarantined: input.quarantined })),
          ],
    approvals: [],
    rollbackTo: input.rollbackTo,
    ...originOf(input),
  };
  const whole: Plan = { id: planId(plan), ...plan };
  return { ok: true, plan: { ...whole, approvals: approvalsOf(whole, input.approvalRequired) } };
}

/** A fork stays one, whatever else is deployed there. */
function originOf({ forkedFrom, promotedFrom, released }: PlanInput): Pick<Plan, 'forkedFrom' | 'promotedFrom'> {
  const fork = forkedFrom ?? released?.release.lineage.forkedFrom;
  return { ...(fork && { forkedFrom: fork }), ...(promotedFrom && { promotedFrom }) };
}

/** Jobs of the target that did not run to their end for this template, in order of name. */
function jobsToRun(
  { finishedJobs }: PlanInput,
  pinned: ReturnType<typeof pinServices>['pinned'],
  machines: ReadonlyMap<string, string>,
): JobOrder[] {
  const finished = new Set(finishedJobs.map((it) => `${it.service} ${it.template}`));
  return [...pinned.values()]
    .filter(({ spec, template }) => spec.job && !finished.has(`${spec.name} ${template}`))
    .map(({ spec }) => {
      const machine = machines.get(spec.name);
      if (machine === undefined) throw new Error(`job ${spec.name} was given no machine`);
      return { service: spec.name, machine };
    });
}

function inOrder(failures: readonly PlanFailure[]): PlanFailure[] {
  const key = (it: PlanFailure) => `${it.service ?? ''} ${it.code} ${it.message}`;
  return failures.toSorted((a, b) => byText(key(a), key(b)));
}
