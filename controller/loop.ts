/**
 * The loop: each namespace has one worker; a changed desired digest wakes it; one pass plans and carries out.
 *
 * A failing namespace neither slows nor blocks the others. What people did by hand stays until they say `resume` or
 * git says something new. Where plans are approved, what was approved is carried out before what git said later.
 */
import type { Digest, NamespaceName } from '../schemas/names.ts';
import { maySupersede } from './decide.ts';
import { type PassDeps, pass, type Target, type Wanted, type Worker } from './pass.ts';
import { desiredDigest } from './reconcile.ts';

export interface Loop {
  /** The namespace's desired state is this now. Same digest as before: nothing happens. */
  want(wanted: Wanted): void;
  /** Look at the namespace again (resume, a consent, a freeze that ended). */
  poke(namespace: NamespaceName): void;
  pokeAll(): void;
  /** Resolves when all workers have stopped after the signal aborted. */
  readonly stopped: Promise<void>;
}

/** Stands for a namespace that is to be gone. */
export const REMOVED_DIGEST: Digest = '0'.repeat(64);
/** Revisions of a namespace that may wait for their approval at once. */
const MOST_EARLIER = 20;

export function createLoop(deps: PassDeps, signal: AbortSignal): Loop {
  const workers = new Map<NamespaceName, Worker>();
  const running: Promise<void>[] = [];

  function start(target: Target): void {
    const idle = { wake: () => {}, poked: true, current: null, supersededInARow: 0, toldFrozen: '' };
    const worker: Worker = { target, earlier: [], ...idle };
    workers.set(target.wanted.namespace, worker);
    running.push(work(deps, worker, signal));
  }

  function wake(worker: Worker): void {
    worker.poked = true;
    worker.wake();
  }

  return {
    want(wanted) {
      const digest = wanted.desired === null ? REMOVED_DIGEST : desiredDigest(wanted.desired);
      const worker = workers.get(wanted.namespace);
      if (worker === undefined) return start({ wanted, digest });
      const before = worker.target;
      worker.target = { wanted, digest };
      if (before.digest === digest) return;
      if (before.wanted.approvalRequired) worker.earlier = [...worker.earlier, before].slice(-MOST_EARLIER);
      const { current } = worker;
      if (current !== null && current.digest !== digest && maySupersede({ ...worker, ...current })) {
        current.abort.abort('superseded');
      }
      wake(worker);
    },
    poke(namespace) {
      const worker = workers.get(namespace);
      if (worker !== undefined) wake(worker);
    },
    pokeAll() {
      for (const worker of workers.values()) wake(worker);
    },
    get stopped() {
      return Promise.all(running).then(() => undefined);
    },
  };
}

async function work(deps: PassDeps, worker: Worker, signal: AbortSignal): Promise<void> {
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
      deps.log.error({ err: error, namespace: worker.target.wanted.namespace }, 'a pass failed; it is tried again');
      lookAgainAtMs = deps.clock.now() + 5_000;
    }
  }
}

async function waitFor(deps: PassDeps, worker: Worker, atMs: number | null): Promise<void> {
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
