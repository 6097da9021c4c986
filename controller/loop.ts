/**
 * The loop: each namespace has one worker; a changed desired digest wakes it; one pass plans and carries out.
 *
 * A failing namespace neither slows nor blocks the others. What people did by hand stays until they say `resume` or
 * git says something new.
 */
import type { NamespaceRecord } from '../schemas/deploy.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Digest, NamespaceName, Revision } from '../schemas/names.ts';
import { hasChanges } from '../schemas/plan.ts';
import type { Desired } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { advice } from './advice.ts';
import { carryOut } from './carry-out.ts';
import { decide, maySupersede, retryAtMs } from './decide.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import type { Executor } from './execute/executor.ts';
import type { Metrics } from './metrics.ts';
import type { Namespaces } from './namespaces.ts';
import { failureText } from './plan/failure-text.ts';
import type { PlanResult } from './plan/input.ts';
import { desiredDigest, planDesired, planRemoval } from './reconcile.ts';
import { currentSecrets } from './secrets.ts';

/** What git says of one namespace; `desired` null: its manifests are gone. */
interface Wanted {
  readonly namespace: NamespaceName;
  readonly desired: Desired | null;
  readonly revision: Revision;
  readonly maxRemovePercent: number;
}

export interface LoopDeps {
  readonly store: Store;
  readonly executor: Executor;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  readonly gatewayPorts: readonly number[];
  readonly metrics: Pick<Metrics, 'count'>;
  /** What a person who watches should read, line by line. */
  readonly say: (text: string) => void;
}

export interface Loop {
  /** The namespace's desired state is this now. Same digest as before: nothing happens. */
  want(wanted: Wanted): void;
  /** Look at the namespace again (resume, a released lease). */
  poke(namespace: NamespaceName): void;
  /** Resolves when all workers have stopped after the signal aborted. */
  readonly stopped: Promise<void>;
}

interface Worker {
  wanted: Wanted;
  digest: Digest;
  /** Resolves the worker's wait. */
  wake: () => void;
  poked: boolean;
  current: { digest: Digest; abort: AbortController; jobRunning: boolean } | null;
  supersededInARow: number;
}

const REMOVED_DIGEST: Digest = '0'.repeat(64);

export function createLoop(deps: LoopDeps, signal: AbortSignal): Loop {
  const workers = new Map<NamespaceName, Worker>();
  const running: Promise<void>[] = [];

  function start(wanted: Wanted, digest: Digest): void {
    const worker: Worker = { wanted, digest, wake: () => {}, poked: true, current: null, supersededInARow: 0 };
    workers.set(wanted.namespace, worker);
    running.push(work(deps, worker, signal));
  }

  return {
    want(wanted) {
      const digest = wanted.desired === null ? REMOVED_DIGEST : desiredDigest(wanted.desired);
      const worker = workers.get(wanted.namespace);
      if (worker === undefined) return start(wanted, digest);
      worker.wanted = wanted;
      if (worker.digest === digest) return;
      worker.digest = digest;
      const { current } = worker;
      if (current !== null && current.digest !== digest && maySupersede({ ...worker, ...current })) {
        current.abort.abort('superseded');
      }
      worker.poked = true;
      worker.wake();
    },
    poke(namespace) {
      const worker = workers.get(namespace);
      if (worker === undefined) return;
      worker.poked = true;
      worker.wake();
    },
    get stopped() {
      return Promise.all(running).then(() => undefined);
    },
  };
}

async function work(deps: LoopDeps, worker: Worker, signal: AbortSignal): Promise<void> {
  signal.addEventListener('abort', () => worker.wake(), { once: true });
  let lookAgainAtMs: number | null = null;
  while (!signal.aborted) {
    if (!worker.poked) await waitFor(deps, worker, lookAgainAtMs);
    worker.poked = false;
    if (signal.aborted) return;
    try {
      lookAgainAtMs = await pass(deps, worker, signal);
    } catch (error) {
      if (signal.aborted) return;
      deps.log.error({ err: error, namespace: worker.wanted.namespace }, 'a pass failed; it is tried again');
      lookAgainAtMs = deps.clock.now() + 5_000;
    }
  }
}

async function waitFor(deps: LoopDeps, worker: Worker, atMs: number | null): Promise<void> {
  const woken = new AbortController();
  await new Promise<void>((resolve) => {
    worker.wake = () => {
      woken.abort();
      resolve();
    };
    if (worker.poked) worker.wake();
    if (atMs === null) return;
    deps.clock.sleep(Math.max(0, atMs - deps.clock.now()), woken.signal).then(resolve, () => undefined);
  });
}

/** @returns when to look again, null: on the next change */
async function pass(deps: LoopDeps, worker: Worker, signal: AbortSignal): Promise<number | null> {
  const { wanted, digest } = worker;
  const { namespace } = wanted;
  const record = await adoptHold(deps, namespace, digest);
  const secrets = await currentSecrets(deps.store.bucket('secrets'), wanted.desired);
  const given = { digest, secrets };
  const decision = decide(record, digest, deps.clock.now(), secrets);
  if (decision.act === 'later') return decision.atMs;
  if (decision.act === 'nothing') return null;
  if (wanted.desired === null && (await deps.store.log.live(namespace)) === null) return null;

  try {
    deps.metrics.count('passes', { namespace });
    const result = await planFor(deps, wanted);
    if (!result.ok) {
      const [first] = result.failures;
      const message = result.failures.map(failureText).join('; ');
      return await failed(deps, worker, given, null, first?.code ?? 'NO_CAPACITY', message);
    }
    const { plan } = result;
    if (plan.consents.length > 0) {
      const how = `\`slipway deploy ${namespace} --consent ${plan.id.slice(0, 12)}\` carries it out`;
      return await failed(deps, worker, given, null, 'CONSENT_NEEDED', `${plan.consents.join(' ')} ${how}`);
    }
    if (plan.basis.release !== null && !hasChanges(plan)) {
      await deps.namespaces.change(namespace, (it) => ({
        ...it,
        carriedOut: digest,
        secrets,
        failed: null,
        held: null,
      }));
      return null;
    }
    const abort = new AbortController();
    const stop = () => abort.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const current = { digest, abort, jobRunning: false };
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
        return null;
      }
      worker.supersededInARow = 0;
      if (deploy.failure?.code === 'ABORTED' && signal.aborted) {
        // Ended by our own end, not by its contents: whoever leads next carries it out.
        deps.say(`${namespace} is not deployed: the controller stops; the next start carries it out`);
        return null;
      }
      if (deploy.failure !== null)
        return await failed(deps, worker, given, deploy.id, deploy.failure.code, deploy.failure.message);
      const n = deploy.releases.at(-1);
      deps.say(n === undefined ? `${namespace} is removed` : `${namespace}: release #${n} is live`);
    } finally {
      worker.current = null;
      signal.removeEventListener('abort', stop);
    }
    await deps.namespaces.change(namespace, (it) => ({ ...it, carriedOut: digest, secrets, failed: null, held: null }));
    return null;
  } catch (error) {
    if (signal.aborted || !isSlipwayError(error)) throw error;
    return await failed(deps, worker, given, null, error.code, error.message);
  }
}

async function planFor(deps: LoopDeps, wanted: Wanted): Promise<PlanResult> {
  const { store, gatewayPorts } = deps;
  const { namespace, desired, revision, maxRemovePercent } = wanted;
  const common = { store, revision, managedBy: 'git' as const, maxRemovePercent, gatewayPorts };
  return desired === null ? await planRemoval({ ...common, namespace }) : await planDesired({ ...common, desired });
}

/** A hold without a digest was set by somebody who did not know what git says: it is bound to what git says now. */
async function adoptHold(deps: LoopDeps, namespace: NamespaceName, digest: Digest): Promise<NamespaceRecord> {
  return await deps.namespaces.change(namespace, (it) =>
    it.held !== null && it.held.desiredDigest === null ? { ...it, held: { ...it.held, desiredDigest: digest } } : it,
  );
}

async function failed(
  deps: LoopDeps,
  worker: Worker,
  { digest, secrets }: { readonly digest: Digest; readonly secrets: Digest | null },
  deploy: string | null,
  code: string,
  message: string,
): Promise<number | null> {
  const { namespace } = worker.wanted;
  const now = deps.clock.now();
  let next: number | null = null;
  await deps.namespaces.change(namespace, (it) => {
    const attempts = it.failed?.desiredDigest === digest ? it.failed.attempts + 1 : 1;
    next = retryAtMs(code, attempts, now);
    const retryAt = next === null ? null : new Date(next).toISOString();
    return { ...it, held: null, failed: { desiredDigest: digest, secrets, deploy, code, message, retryAt, attempts } };
  });
  deps.log.warn({ namespace, code, retryAtMs: next }, message);
  const live = (await deps.store.log.live(namespace)) !== null;
  const then = advice({ namespace, code, retryAtMs: next, nowMs: now, live, deployed: deploy !== null });
  deps.say(`${namespace} is not deployed: ${code}: ${message}; ${then}`);
  if (deploy === null) {
    await deps.store.events
      .publish({
        at: isoNow(deps.clock),
        kind: 'plan.failed',
        namespace,
        deploy,
        machine: null,
        actor: deps.actor,
        message,
      })
      .catch((error: unknown) => deps.log.warn({ err: error }, 'event not recorded'));
  }
  return next;
}
