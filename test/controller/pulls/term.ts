/**
 * A controller's term over the desk lab: the real ears, commands, desk, previews, loop and source, without webhooks. Waits
 * of a second and more pass a hundred times as fast. Several terms may follow one another, or overlap.
 */

import { systemClock } from '../../../controller/execute/clock.ts';
import { createFollower } from '../../../controller/follow.ts';
import type { Forge } from '../../../controller/forge/port.ts';
import { createLoop } from '../../../controller/loop.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { createNamespaces } from '../../../controller/namespaces.ts';
import { createPreviews } from '../../../controller/previews/previews.ts';
import { createPullRequests } from '../../../controller/pull-requests.ts';
import { createConfirmer } from '../../../controller/pulls/confirmer.ts';
import { createPullRecords } from '../../../controller/pulls/records.ts';
import { createSource } from '../../../controller/source/source.ts';
import type { SourceState } from '../../../controller/source/state.ts';
import { allowRewind, manifestsFolder } from '../../../controller/tracked.ts';
import type { NamespaceInventory } from '../../../schemas/inventory.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Store } from '../../../store/port.ts';
import { mortal } from '../execute/lab.ts';
import type { DeskLab } from './lab.ts';

export interface Term {
  /** What people who watch would read. */
  readonly said: string[];
  /** Resolves when it has died at the point it was told to. */
  readonly dead: Promise<void>;
  end(): Promise<void>;
}

export interface TermOptions {
  /** It dies when it first comes to this point: nothing that it does after that reaches anybody. */
  readonly diesAt?: string;
  /** The tracked branch is read only after this. */
  readonly readsAfter?: Promise<void>;
}

const NOTHING: NamespaceInventory = { containers: [], servers: [], routes: [], filter: [], volumes: [], files: [] };

const hasty = {
  now: () => systemClock.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms < 1_000 ? ms : ms / 100, signal),
};

/** What agents answer about previews: that there is nothing left of them. */
export function serveAgents({ store }: DeskLab): void {
  const forEver = new AbortController().signal;
  store.messages.serve(['agent', 'm1', 'inventory'], async () => NOTHING, forEver);
  store.messages.serve(['agent', 'm1', 'volumes'], async () => ({ volumes: [] }), forEver);
}

export function beginTerm(lab: DeskLab, options: TermOptions = {}): Term {
  const stop = new AbortController();
  const { signal } = stop;
  const life = { dead: false };
  const said: string[] = [];
  let die = () => {};
  const dead = new Promise<void>((resolve) => {
    die = resolve;
  });
  const trace = (point: string) => {
    if (life.dead) return;
    if (point !== options.diesAt) return;
    life.dead = true;
    die();
  };
  const store: Store = options.diesAt === undefined ? lab.store : mortalStore(lab.store, life, dead);
  const forge: Forge = options.diesAt === undefined ? lab.forge : mortalForge(lab.forge, life);

  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const records = createPullRecords({ bucket: store.bucket('pulls'), now: () => new Date().toISOString() });
  const confirmAgreement = createConfirmer({ forge, store, records });
  const executor = lab.executing.executorWith({ confirmAgreement });
  const actor = 'controller';
  const { deploys } = lab.executing;
  const common = { store, namespaces, deploys, executor, clock: hasty, log: silentLogger, gatewayPorts: [80], actor };
  const say = (text: string) => void said.push(text);
  const loop = createLoop({ ...common, metrics: createMetrics(), say }, signal);
  const removeVolume = async (): Promise<never> => {
    throw new Error('nothing here has volumes');
  };
  const previews = createPreviews({ ...common, loop, removeVolume, httpPort: 80, trace });
  const { repository } = lab;
  const source = createSource({
    ...common,
    repository,
    cursors: store.bucket('cursors'),
    clock: systemClock,
    random: () => 0.5,
    manifestsFolder,
    allowRewind,
    watch: () => {},
    pace: { pollMs: 20, maxPollMs: 20, retryMs: 20, maxRetryMs: 100 },
  });
  const pulls = createPullRequests(
    {
      ...common,
      forge,
      previews,
      records,
      repository,
      confirmAgreement,
      loop,
      installation: 'lab',
      wake: () => source.wake(),
      say,
      trace,
      retryMs: 50,
    },
    signal,
  );
  const follow = createFollower({ ...common, loop });
  const follower = async (state: SourceState) => {
    await options.readsAfter;
    await follow(state);
    await pulls.onSource(state);
  };
  const ended = Promise.all([source.observe(follower, signal), previews.run(signal), pulls.run()]);
  return {
    said,
    dead,
    async end() {
      stop.abort();
      // A dead one waits for answers that never come.
      if (!life.dead) await ended;
    },
  };
}

/** What it had taken from the queue is handed out again. */
function mortalStore(store: Store, life: { dead: boolean }, dead: Promise<void>): Store {
  const over = new AbortController();
  void dead.then(() => over.abort());
  const { deliveries } = store;
  return {
    ...mortal(store, life, new Promise<void>(() => {})),
    deliveries: {
      ...deliveries,
      put: async (it) => (life.dead ? await new Promise(() => {}) : await deliveries.put(it)),
      consume: (handler, until) => deliveries.consume(handler, AbortSignal.any([until, over.signal])),
    },
  };
}

function mortalForge(forge: Forge, life: { readonly dead: boolean }): Forge {
  return new Proxy(forge, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        if (life.dead) return await new Promise(() => {});
        const result: unknown = await (value as (...args: unknown[]) => Promise<unknown>).apply(target, args);
        return life.dead ? await new Promise(() => {}) : result;
      };
    },
  });
}
