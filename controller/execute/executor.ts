/**
 * Executor: carries one plan out under the namespace's lease.
 *
 * Every attempt ends by writing its next log entry: the release, or a void. A failure appends the void first and only
 * then lets agents undo; whoever loses that entry touches nothing.
 */
import type { Deploy, DeployState } from '../../schemas/deploy.ts';
import { Intent } from '../../schemas/deploy.ts';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Plan } from '../../schemas/plan.ts';
import { Evidence } from '../../schemas/step.ts';
import { shortId } from '../consent/needs.ts';
import { isoNow, newDeployId } from './clock.ts';
import { refuseFrozen, takeAgreements } from './permission.ts';
import { type Attempt, append, runPhases } from './phases.ts';
import { machinesOf, preflight } from './preflight.ts';
import type { OnProgress } from './progress.ts';
import { recoverDeploy, recoverNamespace } from './recover.ts';
import { sealSecrets } from './sealed-secrets.ts';
import type { ExecutorDeps, Session } from './session.ts';
import { type SettleStage, settle } from './settle.ts';
import { withLease } from './with-lease.ts';

export interface ExecuteArgs {
  readonly plan: Plan;
  readonly actor: string;
  /** Before the commit point: aborts (`reason` 'superseded' or anything else). After it: detaches. */
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
  /** How long another executor's lease is waited for. */
  readonly waitForLeaseMs?: number;
}

export interface Executor {
  /**
   * The plan is carried out, or it failed and what was live still is. Gives the ended deploy.
   * @throws what failed before anything was touched: LEASE_HELD, BASIS_MOVED, MACHINE_UNREACHABLE, conflicts, FROZEN,
   * CONSENT_NEEDED, APPROVAL_NEEDED, FORGE_UNAVAILABLE; and LEASE_LOST or DEPLOY_LOST when another executor took over.
   */
  execute(args: ExecuteArgs): Promise<Deploy>;
  /** Finishes or voids what dead executors left. false: another executor is at work. */
  recover(namespace: string, actor: string, signal: AbortSignal): Promise<boolean>;
}

export function createExecutor(deps: ExecutorDeps): Executor {
  return {
    async execute(args) {
      const { plan } = args;
      return await withLease(deps, { ...args, namespace: plan.namespace }, async (session) => {
        await recoverNamespace(deps, session, session.lease.lost);
        const tip = await deps.store.log.tip(plan.namespace);
        const live = await deps.store.log.live(plan.namespace);
        await refuseFrozen(deps, plan.namespace);
        await preflight(deps, plan, live);
        const secrets = await sealSecrets(deps, plan);
        args.signal.throwIfAborted();
        const machines = [...new Set([...machinesOf(plan), ...(live?.slots.map((it) => it.machine) ?? [])])].toSorted();
        const fresh = newDeploy(deps, plan, args.actor, tip, machines);
        const agreements = await takeAgreements(deps, {
          plan,
          deploy: fresh.id,
          actor: args.actor,
          signal: AbortSignal.any([args.signal, session.lease.lost]),
        });
        const deploy: Deploy = agreements.length === 0 ? fresh : { ...fresh, agreements };
        await deps.deploys.open(deploy);
        deps.trace('deploy:opened');
        event(deps, deploy, 'deploy.started', `${plan.kind} of ${plan.namespace} by ${args.actor}`);
        for (const it of agreements) event(deps, deploy, `${it.kind}.used`, usedText(plan, it));
        return await carryOut(deps, session, deploy, { plan, released: live, secrets, user: args.signal });
      });
    },
    async recover(namespace, actor, signal) {
      try {
        await withLease(deps, { namespace, actor, signal }, async (session) => {
          await recoverNamespace(deps, session, AbortSignal.any([signal, session.lease.lost]));
        });
        return true;
      } catch (error) {
        if (isSlipwayError(error, 'LEASE_HELD')) return false;
        throw error;
      }
    },
  };
}

async function carryOut(
  deps: ExecutorDeps,
  session: Session,
  opened: Deploy,
  args: Pick<Attempt, 'plan' | 'released' | 'secrets'> & { readonly user: AbortSignal },
): Promise<Deploy> {
  const { plan, user } = args;
  const { lost } = session.lease;
  const over = new AbortController();
  const intent = new AbortController();
  watchIntents(deps, opened, intent, AbortSignal.any([over.signal, lost]));
  const beforeCommit = AbortSignal.any([user, lost, intent.signal]);
  const { released, secrets } = args;
  const attempt: Attempt = { plan, released, secrets, deploy: opened.id, next: opened.tip + 1, releases: [] };
  let deploy = opened;
  const save = async (changes: Partial<Deploy>, done = false) => {
    deploy = { ...deploy, ...changes, releases: attempt.releases };
    await deps.deploys.save(deploy, done);
  };
  try {
    const entry = await runPhases(deps, session, attempt, deploy.machines, beforeCommit, {
      entered: async (phase) => {
        await save({ phase });
        const title = plan.phases[phase]?.title ?? '';
        event(deps, deploy, 'deploy.phase', `phase ${phase + 1} of ${plan.phases.length}: ${title}`);
      },
      lagging: (machines) => {
        deploy = { ...deploy, pending: [...machines] };
      },
    });
    await save({ state: 'committed' });
    event(deps, deploy, 'release.committed', `${plan.namespace}@${entry.n} is live`);
    const afterCommit = AbortSignal.any([user, lost]);
    const pending = await settle(deps, session, {
      deploy: deploy.id,
      n: entry.n,
      machines: deploy.machines,
      stages: stagesAfter(plan),
      signal: afterCommit,
    }).catch((error: unknown) => {
      if (lost.aborted || !user.aborted) throw error;
      return deploy.machines; // detached: whoever comes next finishes
    });
    const state: DeployState = pending.length === 0 ? 'done' : 'cleanup-pending';
    await save({ state, pending, endedAt: isoNow(deps.clock) }, pending.length === 0);
    return ended(deps, session, deploy, `${plan.namespace}@${entry.n} is live`);
  } catch (error) {
    if (lost.aborted) {
      throw new SlipwayError(
        'LEASE_LOST',
        `the lease on ${plan.namespace} was lost; the next executor finishes or voids`,
        {},
        error,
      );
    }
    if (deploy.state === 'committed' || isSlipwayError(error, 'DEPLOY_LOST')) throw error;
    return await undo(deps, session, attempt, deploy, error, { user, intent: intent.signal });
  } finally {
    over.abort();
  }
}

/** With a hold (blue-green) nothing is retired now: agents sweep what the release does not name once its time is over. */
function stagesAfter(plan: Plan): readonly SettleStage[] {
  const held = plan.phases.some((it) => it.holdMs > 0);
  return held ? ['apply', 'close'] : ['apply', 'retire', 'close'];
}

/** The void first, then agents may undo. */
async function undo(
  deps: ExecutorDeps,
  session: Session,
  attempt: Attempt,
  deploy: Deploy,
  error: unknown,
  signals: { readonly user: AbortSignal; readonly intent: AbortSignal },
): Promise<Deploy> {
  const superseded = signals.user.aborted && signals.user.reason === 'superseded';
  const aborted = signals.user.aborted || signals.intent.aborted;
  const failure = superseded
    ? { code: 'ABORTED', message: 'a newer revision took its place', evidence: [] }
    : aborted
      ? { code: 'ABORTED', message: 'aborted before the commit point', evidence: [] }
      : failureOf(error);
  const { lost } = session.lease;
  const n = attempt.next;
  const base = { namespace: deploy.namespace, at: isoNow(deps.clock), actor: session.actor, deploy: deploy.id };
  try {
    await append(deps, attempt, { ...base, kind: 'void', n, reason: failure.message.slice(0, 500) }, lost);
  } catch (raced) {
    if (!isSlipwayError(raced, 'DEPLOY_LOST')) throw raced;
    // n is taken: by our own release whose reply was lost, or by whoever dethroned us. The log knows.
    return await recoverDeploy(deps, session, { ...deploy, failure }, lost);
  }
  const pending = await settle(deps, session, {
    deploy: deploy.id,
    n,
    machines: deploy.machines,
    stages: ['close'],
    signal: lost,
  });
  const why = superseded ? 'superseded' : aborted ? 'aborted' : 'failed';
  const state: DeployState = why === 'failed' && attempt.releases.length > 0 ? 'failed-after-checkpoint' : why;
  const ending: Deploy = {
    ...deploy,
    state,
    failure,
    pending,
    releases: attempt.releases,
    endedAt: isoNow(deps.clock),
  };
  await deps.deploys.save(ending, true);
  return ended(deps, session, ending, failure.message);
}

function ended(deps: ExecutorDeps, session: Session, deploy: Deploy, message: string): Deploy {
  deps.trace(`deploy:${deploy.state}`);
  event(deps, deploy, `deploy.${deploy.state}`, message);
  session.onProgress({ kind: 'ended', state: deploy.state, message, evidence: deploy.failure?.evidence ?? [] });
  return deploy;
}

function failureOf(error: unknown): NonNullable<Deploy['failure']> {
  if (!(error instanceof SlipwayError)) {
    return { code: 'STEP_FAILED', message: error instanceof Error ? error.message : String(error), evidence: [] };
  }
  const evidence = Evidence.array().safeParse(error.details['evidence']);
  return { code: error.code, message: error.message, evidence: evidence.success ? evidence.data : [] };
}

/** `slipway abort` leaves an intent; the holder of the lease acts on it. */
function watchIntents(deps: ExecutorDeps, deploy: Deploy, abort: AbortController, signal: AbortSignal): void {
  deps.store
    .bucket('intents')
    .watch((change) => {
      const intent = Intent.safeParse(change.value);
      if (intent.success && intent.data.deploy === deploy.id) abort.abort();
    }, signal)
    .catch((error: unknown) => {
      if (!signal.aborted) deps.log.warn({ err: error }, 'cannot see abort requests');
    });
}

function usedText(plan: Plan, { kind, by, why }: NonNullable<Deploy['agreements']>[number]): string {
  return `${kind} of ${by} to plan ${shortId(plan.id)} is used${why === '' ? '' : `: ${why}`}`;
}

function newDeploy(deps: ExecutorDeps, plan: Plan, actor: string, tip: number, machines: string[]): Deploy {
  const count = (kind: string) => plan.changes.filter((it) => it.kind === kind).length;
  return {
    id: newDeployId(deps.clock),
    namespace: plan.namespace,
    kind: plan.kind,
    actor,
    startedAt: isoNow(deps.clock),
    endedAt: null,
    state: 'applying',
    planId: plan.id,
    tip,
    managedBy: plan.managedBy,
    source: { revision: plan.basis.revision, desiredDigest: plan.basis.desiredDigest },
    rollbackTo: plan.rollbackTo,
    machines,
    counts: {
      create: count('create'),
      update: count('update'),
      remove: count('remove'),
      unchanged: count('unchanged'),
    },
    downtime: plan.downtime,
    phases: plan.phases.map((it) => it.title),
    phase: 0,
    releases: [],
    pending: [],
    failure: null,
  };
}

function event(deps: ExecutorDeps, deploy: Deploy, kind: string, message: string): void {
  deps.store.events
    .publish({
      at: isoNow(deps.clock),
      kind,
      namespace: deploy.namespace,
      deploy: deploy.id,
      machine: null,
      actor: deploy.actor,
      message,
    })
    .catch((error: unknown) => deps.log.warn({ err: error, kind }, 'event not recorded'));
}
