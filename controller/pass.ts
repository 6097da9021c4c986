/**
 * One pass of one namespace: whether there is something to do, whether anything stands in its way, the plan, its deploy,
 * and what is remembered of how it ended.
 */
import type { NamespaceRecord } from '../schemas/deploy.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Digest, NamespaceName, Revision, ServiceName } from '../schemas/names.ts';
import { hasChanges, type Plan } from '../schemas/plan.ts';
import type { ManagedBy, ReleaseRef } from '../schemas/release.ts';
import type { Desired, ImageRef } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { carryOut } from './carry-out.ts';
import { type Agreements, createAgreements } from './consent/agreements.ts';
import { createFreezes } from './consent/freezes.ts';
import { type Frozen, frozenText, thawAtMs, thawCommand } from './consent/frozen.ts';
import { needsOf } from './consent/needs.ts';
import { awaitsAgreement, decide } from './decide.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import type { Executor } from './execute/executor.ts';
import { recordFailure } from './failed-pass.ts';
import type { Metrics } from './metrics.ts';
import type { Namespaces } from './namespaces.ts';
import { failureText } from './plan/failure-text.ts';
import type { PlanResult } from './plan/input.ts';
import { changedSinceAgreed } from './pulls/changed-since.ts';
import { imagesReviewed, type MergedPulls } from './pulls/reviewed-images.ts';
import { keepShownPlan } from './pulls/shown-plans.ts';
import { desiredDigest, planDesired, planRemoval } from './reconcile.ts';
import { currentSecrets } from './secrets.ts';

/** What git, or a pull request, says of one namespace; `desired` null: it is to be gone. */
export interface Wanted {
  readonly namespace: NamespaceName;
  readonly desired: Desired | null;
  readonly revision: Revision;
  readonly maxRemovePercent: number;
  /** Settings want an approval of every plan of it. */
  readonly approvalRequired: boolean;
  readonly managedBy: ManagedBy;
  /** Images of what it is forked from, by service: taken while it has none of its own for the same image string. */
  readonly images?: Readonly<Record<ServiceName, ImageRef>> | undefined;
  readonly forkedFrom?: ReleaseRef | undefined;
  /** Whose image digests its lock pins. */
  readonly promotedFrom?: ReleaseRef | undefined;
}

/** What one worker carries out: what git said at one revision. */
export interface Target {
  readonly wanted: Wanted;
  readonly digest: Digest;
}

export interface PassDeps {
  readonly store: Store;
  readonly executor: Executor;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  readonly gatewayPorts: readonly number[];
  readonly metrics: Pick<Metrics, 'count'>;
  /** Those of the store, unless given. */
  readonly agreements?: Agreements;
  /** Where there is a forge. */
  readonly mergedPulls?: MergedPulls | undefined;
  /** What a person who watches should read, line by line. */
  readonly say: (text: string) => void;
}

export interface Worker {
  target: Target;
  /** What git said before and nobody carried out, oldest first: an approved one of these goes first. */
  earlier: readonly Target[];
  /** Resolves the worker's wait. */
  wake: () => void;
  poked: boolean;
  current: { digest: Digest; abort: AbortController; jobRunning: boolean; approved: boolean } | null;
  supersededInARow: number;
  /** The freeze that was said last, so that it is said once. */
  toldFrozen: string;
}

/** @returns when to look again, null: on the next change */
export async function pass(deps: PassDeps, worker: Worker, signal: AbortSignal): Promise<number | null> {
  const { target } = worker;
  const { namespace } = target.wanted;
  const record = await adoptHold(deps, namespace, target.digest);
  const live = await deps.store.log.live(namespace);
  const agreements = agreementsOf(deps);
  const agreed = async ({ wanted }: Target) =>
    await agreements.agreed({ namespace, desiredDigest: plannedDigest(wanted), release: live?.n ?? null });
  const first = record.held === null ? await firstApproved(deps, worker, signal) : null;
  if (first === null) {
    const secrets = await currentSecrets(deps.store.bucket('secrets'), target.wanted.desired, target.wanted.managedBy);
    const given = awaitsAgreement(record, target.digest) && (await agreed(target));
    const decision = decide(record, target.digest, deps.clock.now(), secrets, given);
    if (decision.act === 'later') return decision.atMs;
    if (decision.act === 'nothing') {
      // What git said before, and failed, it does not say any more.
      if (decision.why === 'unchanged' && record.failed !== null)
        await deps.namespaces.change(namespace, (it) => ({ ...it, failed: null }));
      return null;
    }
    if (target.wanted.desired === null && live === null) return null;
  }
  const frozen = await createFreezes({ bucket: deps.store.bucket('freezes'), now: () => deps.clock.now() }).holding(
    namespace,
  );
  if (frozen !== null) return waitForThaw(deps, worker, frozen);
  worker.toldFrozen = '';
  const { atMs, end } = await attempt(deps, worker, first ?? target, signal);
  if (end !== null && first !== null) {
    worker.earlier = worker.earlier.slice(worker.earlier.indexOf(first) + 1);
    worker.poked = true;
  }
  if (end === 'live' && first === null && worker.target === target) worker.earlier = [];
  return atMs;
}

/** The desired digest in plans of this target; a removal is planned as a namespace without services. */
export function plannedDigest({ namespace, desired }: Pick<Wanted, 'namespace' | 'desired'>): Digest {
  return desiredDigest(desired ?? { namespace, services: [], volumes: [] });
}

function agreementsOf(deps: PassDeps): Agreements {
  return deps.agreements ?? createAgreements({ bucket: deps.store.bucket('consents') });
}

/** What git said before, if it was approved (also before its merge) and can still be carried out: it is not skipped. */
async function firstApproved(deps: PassDeps, worker: Worker, signal: AbortSignal): Promise<Target | null> {
  const agreements = agreementsOf(deps);
  const others = worker.earlier.filter((it) => it.digest !== worker.target.digest);
  if (others.length === 0 || (await agreements.unused(worker.target.wanted.namespace)).length === 0) return null;
  for (const it of others) {
    const result = await planFor(deps, it.wanted, signal).catch((error: unknown) => {
      // What cannot be planned now does not go first.
      if (isSlipwayError(error)) return null;
      throw error;
    });
    if (result?.ok !== true || !hasChanges(result.plan)) continue;
    if (needsOf(result.plan).length > 0 && (await agreements.missing(result.plan)).length === 0) return it;
  }
  return null;
}

/** Nothing is written while it lasts; it is said once. */
function waitForThaw(deps: PassDeps, worker: Worker, frozen: Frozen): number | null {
  const { namespace } = worker.target.wanted;
  const text = `${namespace} is not deployed: ${frozenText(frozen)}; it goes on when that is over (\`${thawCommand(frozen)}\`)`;
  if (worker.toldFrozen !== text) deps.say(text);
  worker.toldFrozen = text;
  return thawAtMs(frozen, deps.clock.now());
}

/** `end` null: not over yet, it is tried again. */
interface Attempted {
  readonly atMs: number | null;
  readonly end: 'live' | 'failed' | null;
}

/** Plans the target and carries it out. */
async function attempt(deps: PassDeps, worker: Worker, target: Target, signal: AbortSignal): Promise<Attempted> {
  const { wanted, digest } = target;
  const { namespace } = wanted;
  const secrets = await currentSecrets(deps.store.bucket('secrets'), wanted.desired, wanted.managedBy);
  const remember = async () =>
    await deps.namespaces.change(namespace, (it) => ({ ...it, carriedOut: digest, secrets, failed: null, held: null }));
  const failed = async (deploy: string | null, code: string, message: string): Promise<Attempted> => {
    // A freeze is no failure of what is deployed: nothing is remembered, and the next pass waits for its end.
    if (code === 'FROZEN') return { atMs: deps.clock.now(), end: null };
    const { managedBy } = wanted;
    const atMs = await recordFailure(deps, { namespace, managedBy, digest, secrets, deploy, code, message });
    return { atMs, end: atMs === null ? 'failed' : null };
  };
  try {
    deps.metrics.count('passes', { namespace });
    const result = await planFor(deps, wanted, signal);
    if (!result.ok) {
      const message = result.failures.map(failureText).join('; ');
      // With another reason beside it, waiting for an image helps nobody.
      const worst = result.failures.find((it) => it.code !== 'IMAGE_NOT_FOUND') ?? result.failures[0];
      return await failed(null, worst?.code ?? 'NO_CAPACITY', message);
    }
    const { plan } = result;
    await requireAgreements(deps, plan);
    if (plan.basis.release !== null && !hasChanges(plan)) {
      await remember();
      return { atMs: null, end: 'live' };
    }
    const abort = new AbortController();
    const stop = () => abort.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const current = { digest, abort, jobRunning: false, approved: plan.approvals.length > 0 };
    worker.current = current;
    try {
      const { deploy } = await carryOut(deps, {
        plan,
        actor: deps.actor,
        signal: abort.signal,
        waitForLeaseMs: 1_000,
        onProgress: (it) => {
          if (it.kind === 'step' && it.id.includes('/job/')) current.jobRunning = it.state === 'running';
        },
      });
      deps.metrics.count('deploys', { namespace, state: deploy.state });
      if (deploy.state === 'superseded') {
        worker.supersededInARow += 1;
        worker.poked = true;
        return { atMs: null, end: null };
      }
      worker.supersededInARow = 0;
      if (deploy.failure?.code === 'ABORTED' && signal.aborted) {
        // Ended by our own end, not by its contents: whoever leads next carries it out.
        deps.say(`${namespace} is not deployed: the controller stops; the next start carries it out`);
        return { atMs: null, end: null };
      }
      if (deploy.failure !== null) return await failed(deploy.id, deploy.failure.code, deploy.failure.message);
      const n = deploy.releases.at(-1);
      deps.say(n === undefined ? `${namespace} is removed` : `${namespace}: release #${n} is live`);
    } finally {
      worker.current = null;
      signal.removeEventListener('abort', stop);
    }
    await remember();
    return { atMs: null, end: 'live' };
  } catch (error) {
    if (signal.aborted || !isSlipwayError(error)) throw error;
    return await failed(null, error.code, error.message);
  }
}

/** Refused, it is kept whole, and what differs from the plan that people agreed to is said. */
async function requireAgreements(deps: PassDeps, plan: Plan): Promise<void> {
  const agreements = agreementsOf(deps);
  if ((await agreements.missing(plan)).length === 0) return;
  const pulls = deps.store.bucket('pulls');
  const more = await changedSinceAgreed({ agreements, pulls }, plan);
  await keepShownPlan(pulls, plan, 'git');
  await agreements.require(plan, { by: deps.actor, at: isoNow(deps.clock), more });
}

async function planFor(deps: PassDeps, wanted: Wanted, signal: AbortSignal): Promise<PlanResult> {
  const { store, gatewayPorts } = deps;
  const { namespace, desired, ...rules } = wanted;
  const common = { store, gatewayPorts, ...rules };
  if (desired === null) return await planRemoval({ ...common, namespace });
  // A tag that moved since people saw the plan does not change what they saw.
  const reviewed = await imagesReviewed(deps, { namespace, desired: desiredDigest(desired) }, signal);
  return await planDesired({ ...common, desired, reviewed });
}

/** A hold without a digest was set by somebody who did not know what git says: it is bound to what git says now. */
async function adoptHold(deps: PassDeps, namespace: NamespaceName, digest: Digest): Promise<NamespaceRecord> {
  return await deps.namespaces.change(namespace, (it) =>
    it.held !== null && it.held.desiredDigest === null ? { ...it, held: { ...it.held, desiredDigest: digest } } : it,
  );
}
