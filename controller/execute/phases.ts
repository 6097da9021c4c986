/** Carry out the phases of a plan up to its last commit. What is appended is the only thing that makes it live. */
import pLimit from 'p-limit';
import { digestOf } from '../../schemas/canonical.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { DeployId } from '../../schemas/names.ts';
import type { Phase, Plan, PlannedSlot, PlanStep } from '../../schemas/plan.ts';
import type { LogEntry, Release, SlotRow } from '../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../schemas/service.ts';
import { Evidence, type StepAction } from '../../schemas/step.ts';
import { releaseFrom } from '../plan/target.ts';
import { isoNow } from './clock.ts';
import { endingOf } from './ending.ts';
import { refuseFrozen } from './permission.ts';
import { lostTo } from './recover.ts';
import type { SealedSecrets } from './sealed-secrets.ts';
import { type ExecutorDeps, runStep, type Session } from './session.ts';
import { settle } from './settle.ts';

/** Steps under way at once on one machine; agents bound their container starts themselves. */
const STEPS_PER_MACHINE = 8;

export interface Attempt {
  readonly plan: Plan;
  readonly deploy: DeployId;
  /** What was live when it began. */
  readonly released: Release | null;
  /** Log entry that the attempt appends next. Whoever else gets it, ends the attempt. */
  next: number;
  /** What the plan's steps may open, by machine. */
  readonly secrets: SealedSecrets;
  /** Release entries appended so far. */
  readonly releases: number[];
}

export interface PhaseHooks {
  readonly entered: (index: number) => Promise<void>;
  /** Machines that did not follow a checkpoint yet. */
  readonly lagging: (machines: readonly string[]) => void;
}

/** Runs phase after phase. Resolves with the entry that committed the plan. @throws the first failure. */
export async function runPhases(
  deps: ExecutorDeps,
  session: Session,
  attempt: Attempt,
  machines: readonly string[],
  signal: AbortSignal,
  hooks: PhaseHooks,
): Promise<LogEntry> {
  const { plan, deploy } = attempt;
  const specs = new Map(plan.services.map((spec) => [specDigest(spec), spec]));
  for (const [index, phase] of plan.phases.entries()) {
    signal.throwIfAborted();
    session.onProgress({ kind: 'phase', index, total: plan.phases.length, title: phase.title });
    await refuseFrozen(deps, session.namespace);
    deps.trace(`phase:${index}:enter`);
    await hooks.entered(index);
    await runSteps(deps, session, attempt, phase.steps, specs, signal);
    if (phase.commit === 'none') continue;
    const entry = await commit(deps, session, attempt, phase, signal);
    if (phase.commit === 'final') return entry;
    const stages = ['apply', 'retire'] as const;
    hooks.lagging(await settle(deps, session, { deploy, n: entry.n, machines, stages, signal }));
  }
  throw new Error(`plan ${plan.id} has no final phase`);
}

async function runSteps(
  deps: ExecutorDeps,
  session: Session,
  attempt: Attempt,
  steps: readonly PlanStep[],
  specs: ReadonlyMap<string, ServiceSpec>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const limits = new Map(steps.map((step) => [step.machine, pLimit(STEPS_PER_MACHINE)]));
  const running = steps.map(async (step) => {
    const limit = limits.get(step.machine);
    if (limit === undefined) return;
    await limit(async () => {
      both.throwIfAborted();
      const action = actionOf(step, attempt, specs);
      const { id, machine } = step;
      try {
        const done = await runStep(deps, session, { deploy: attempt.deploy, machine, id, action, signal: both });
        if (step.verb === 'job') await recordJob(deps, session, attempt, step, done.exitCode ?? 0, signal);
      } catch (error) {
        if (step.verb === 'job' && error instanceof SlipwayError && error.code === 'JOB_FAILED') {
          const evidence = Evidence.array().safeParse(error.details['evidence']);
          const exitCode = (evidence.success ? evidence.data[0]?.exitCode : null) ?? 1;
          await recordJob(deps, session, attempt, step, exitCode, signal);
        }
        throw error;
      }
    });
  });
  for (const it of running) it.catch(() => failed.abort());
  const results = await Promise.allSettled(running);
  const reasons = results.flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []));
  const first = reasons.find((it) => it instanceof SlipwayError) ?? reasons[0];
  if (reasons.length > 0) throw first instanceof Error ? first : new Error('a step failed', { cause: first });
}

function actionOf(
  step: PlanStep,
  { deploy, secrets }: Pick<Attempt, 'deploy' | 'secrets'>,
  specs: ReadonlyMap<string, ServiceSpec>,
): StepAction {
  const row = (slot: PlannedSlot): SlotRow => ({ ...slot, deploy: slot.deploy ?? deploy });
  const specOf = (digest: string): ServiceSpec => {
    const spec = specs.get(digest);
    if (spec === undefined) throw new Error(`plan names spec ${digest} but does not carry it`);
    return spec;
  };
  const opened = (digest: string) => ({ spec: specOf(digest), ...secrets.of(step.machine, specOf(digest)) });
  const order = (slot: PlannedSlot) => ({ row: row(slot), ...opened(slot.spec) });
  switch (step.verb) {
    case 'pull':
      return { verb: 'pull', image: step.image, imageName: step.imageName };
    case 'volume':
      return { verb: 'volume', volume: step.volume };
    case 'job':
      return {
        verb: 'job',
        service: step.service,
        template: step.template,
        specDigest: step.spec,
        ...opened(step.spec),
      };
    case 'start':
      return { verb: 'start', order: order(step.slot) };
    case 'swap':
      return { verb: 'swap', stops: step.stops.map(row), starts: step.starts.map(order), deadlineMs: step.deadlineMs };
  }
}

/** Jobs of one phase may end at once; entries are appended one after another. */
const appending = new WeakMap<Attempt, Promise<unknown>>();

async function recordJob(
  deps: ExecutorDeps,
  session: Session,
  attempt: Attempt,
  step: Extract<PlanStep, { verb: 'job' }>,
  exitCode: number,
  signal: AbortSignal,
): Promise<void> {
  const before = appending.get(attempt) ?? Promise.resolve();
  const mine = before.then(() =>
    append(
      deps,
      attempt,
      {
        kind: 'job',
        namespace: session.namespace,
        n: attempt.next,
        at: isoNow(deps.clock),
        actor: session.actor,
        deploy: attempt.deploy,
        service: step.service,
        template: step.template,
        exitCode,
      },
      signal,
    ),
  );
  appending.set(
    attempt,
    mine.catch(() => undefined),
  );
  await mine;
}

async function commit(
  deps: ExecutorDeps,
  session: Session,
  attempt: Attempt,
  phase: Phase,
  signal: AbortSignal,
): Promise<LogEntry> {
  const { plan, deploy } = attempt;
  const at = isoNow(deps.clock);
  const base = { namespace: plan.namespace, n: attempt.next, at, actor: session.actor, deploy };
  const final = phase.commit === 'final';
  let entry: LogEntry;
  if (plan.kind === 'remove') {
    entry = { ...base, kind: 'removed', planId: plan.id, volumes: plan.volumeRows };
  } else {
    const stored = await deps.store.specs.put(plan.services);
    if (stored.some((digest, i) => digest !== digestOf(plan.services[i])))
      throw new Error('a spec was stored under another digest');
    const { released } = attempt;
    const previous = attempt.releases.at(-1) ?? released?.n ?? null;
    entry = releaseFrom({ plan, phase, deploy, n: attempt.next, at, actor: session.actor, released, previous });
  }
  deps.trace('gate:last');
  // The last moment: a freeze that came meanwhile ends this deploy before it is live.
  await refuseFrozen(deps, session.namespace);
  await append(deps, attempt, entry, signal);
  if (entry.kind === 'release') attempt.releases.push(entry.n);
  session.onProgress({ kind: 'committed', n: entry.n, final });
  return entry;
}

/** Appends at `attempt.next`. @throws DEPLOY_LOST: somebody else ended this attempt; nothing of it may be touched. */
export async function append(
  deps: ExecutorDeps,
  attempt: Attempt,
  entry: LogEntry,
  signal: AbortSignal,
): Promise<void> {
  const own = { ...entry, n: attempt.next };
  deps.trace(`log:append:${own.kind}`);
  const result = await deps.store.log.append(own, signal);
  deps.trace(`log:appended:${own.kind}`);
  if (result.outcome === 'lost') throw lostTo(endingOf(attempt.deploy, [result.winner]));
  attempt.next = own.n + 1;
}
