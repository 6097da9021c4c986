/** Preflight: what must hold before the first step is sent. Failing here means nothing was touched. */

import { routeConflicts } from '../../routing/conflicts.ts';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Release } from '../../schemas/release.ts';
import { askAgent } from './ask-agent.ts';
import { checkFreePorts } from './free-ports.ts';
import type { ExecutorDeps } from './session.ts';

const PING_MS = 10_000;

/** @throws BASIS_MOVED, ROUTE_CONFLICT, PORT_CONFLICT, MACHINE_UNREACHABLE */
export async function preflight(deps: ExecutorDeps, plan: Plan, live: Release | null): Promise<void> {
  checkBasis(plan, live);
  await checkConflicts(deps, plan);
  const machines = machinesOf(plan);
  await Promise.all(machines.map((machine) => ping(deps, machine)));
  await checkFreePorts({ messages: deps.store.messages, plan, machines });
}

/** Machines that the plan's steps and target name, in order. */
export function machinesOf(plan: Plan): string[] {
  const steps = plan.phases.flatMap((phase) => phase.steps.map((step) => step.machine));
  const slots = plan.phases.flatMap((phase) => phase.slots.map((slot) => slot.machine));
  return [...new Set([...steps, ...slots])].toSorted();
}

function checkBasis(plan: Plan, live: Release | null): void {
  const now = live?.n ?? null;
  if (plan.basis.release === now) return;
  const text = (n: number | null) => (n === null ? 'nothing' : `release #${n}`);
  throw new SlipwayError(
    'BASIS_MOVED',
    `the plan starts from ${text(plan.basis.release)} of ${plan.namespace}, but ${text(now)} is live now: plan again`,
    { planned: plan.basis.release, live: now },
  );
}

async function checkConflicts(deps: ExecutorDeps, plan: Plan): Promise<void> {
  const others = await liveReleases(deps, plan.namespace);
  const routes = plan.services.flatMap((spec) => spec.routes.map((route) => ({ service: spec.name, route })));
  const hostPorts = plan.services.flatMap((spec) =>
    [...spec.tcpPublish, ...spec.template.udpPublish].map((it) => ({
      service: spec.name,
      protocol: it.protocol,
      hostPort: it.hostPort,
    })),
  );
  const [conflict] = routeConflicts({ namespace: plan.namespace, routes, hostPorts }, others, []);
  if (conflict === undefined) return;
  const owner = `${conflict.with.namespace}/${conflict.with.service}`;
  throw new SlipwayError(
    conflict.kind === 'http' ? 'ROUTE_CONFLICT' : 'PORT_CONFLICT',
    `${conflict.what} belongs to ${owner}`,
  );
}

/** Live releases of every namespace but one. */
export async function liveReleases(deps: Pick<ExecutorDeps, 'store'>, except: string): Promise<Release[]> {
  const names = (await deps.store.log.namespaces()).filter((it) => it !== except);
  const releases = await Promise.all(names.map((it) => deps.store.log.live(it)));
  return releases.filter((it) => it !== null);
}

async function ping(deps: ExecutorDeps, machine: string): Promise<void> {
  const { messages } = deps.store;
  try {
    await askAgent({ messages, machine, question: 'ping', payload: {}, timeoutMs: 1_000, patienceMs: PING_MS });
  } catch (error) {
    if (!isSlipwayError(error, 'MACHINE_UNREACHABLE')) throw error;
    throw new SlipwayError(
      'MACHINE_UNREACHABLE',
      `the agent on ${machine} does not answer; nothing was touched. Is it running? \`slipway status\` shows its last report.`,
      { machine },
      error,
    );
  }
}
