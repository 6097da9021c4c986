/** The supervisor: starts the parts, passes on what changes, and tries again what failed. No decision is made here. */
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { MachineSnapshot } from '../schemas/observed.ts';
import type { Store } from '../store/port.ts';
import type { Closer } from './close.ts';
import type { Creator } from './creator.ts';
import type { DiskGuard } from './disk-guard.ts';
import type { Engine } from './docker/port.ts';
import type { ExecServer } from './exec/server.ts';
import type { Follower } from './follow.ts';
import type { Healer } from './healer.ts';
import type { Images } from './images.ts';
import type { Instances } from './instances.ts';
import type { ReadInventory } from './inventory.ts';
import type { Journal } from './journal.ts';
import { endedDeploys, type LastKnown } from './journal-records.ts';
import type { Pressure } from './needed-images.ts';
import type { Observer } from './observe.ts';
import type { Gateway, Names, VolumeDriver } from './ports.ts';
import type { Prober } from './prober.ts';
import { serveQueries } from './queries.ts';
import type { Router } from './router.ts';
import type { Scene } from './scene.ts';
import type { SecretsOfSpec } from './secrets/secrets.ts';
import type { StepServer } from './steps/server.ts';
import { serveStreams } from './streams.ts';
import type { Swaps } from './swaps.ts';
import type { Sweeper } from './sweeper.ts';
import { sleep } from './waiting.ts';
import type { World } from './world.ts';

const TICK_MS = 1000;
const RETRY_MS = 2000;
const MAX_PAUSE_MS = 100;
/** Firewalls are flushed behind our back. */
const NETWORK_EVERY_MS = 15_000;
const PRUNE_EVERY_MS = 3_600_000;
/** After a release, when what it replaced is gone. */
const PRUNE_AFTER_RELEASE_MS = 60_000;
/** After a deploy that came to nothing: what it pulled is of no use, and the next attempt pulls more. */
const PRUNE_AFTER_VOID_MS = 5_000;

export interface SupervisorDeps {
  readonly machine: string;
  readonly store: Store;
  readonly journal: Journal;
  readonly world: World;
  readonly prober: Prober;
  readonly instances: Instances;
  readonly scene: Scene;
  readonly router: Router;
  readonly follower: Follower;
  readonly closer: Closer;
  readonly swaps: Swaps;
  readonly healer: Healer;
  readonly sweeper: Sweeper;
  readonly observer: Observer;
  readonly prune: (pressure: Pressure) => Promise<void>;
  readonly disk: Pick<DiskGuard, 'run'>;
  readonly secrets: Pick<SecretsOfSpec, 'forget'>;
  readonly gateway: Gateway;
  readonly names: Names;
  readonly creator: Creator;
  readonly images: Images;
  readonly portHolders: (ports: readonly number[]) => Promise<readonly object[]>;
  readonly inventory: ReadInventory;
  readonly volumes: Pick<VolumeDriver, 'list'>;
  readonly engine: Engine;
  readonly steps: StepServer;
  readonly execs: ExecServer;
  readonly log: Logger;
  readonly now: () => number;
  readonly lifetime: AbortSignal;
}

export interface Supervisor {
  run(): Promise<void>;
  /** Whether NATS answers. */
  connected(): boolean;
}

export function createSupervisor(deps: SupervisorDeps): Supervisor {
  const { store, journal, world, scene, router, follower, closer, healer, observer, log, now, lifetime } = deps;
  let connected = false;
  /** Namespaces whose log has to be read (again). */
  const stale = new Set<string>();
  const closing = new Set<string>();
  let pruneAt = now() + PRUNE_EVERY_MS;
  let forgetAt = pruneAt;
  let networkAt = now() + NETWORK_EVERY_MS;
  let changing = false;
  let pauseMs = 0;

  /** Many changes come at once: one look at them all. Where a look takes long, looks are at most a quarter of the time. */
  function changed(): void {
    if (changing) return;
    changing = true;
    void sleep(pauseMs, lifetime).then(() => {
      changing = false;
      if (lifetime.aborted) return;
      const begunAt = now();
      scene.watchInstances();
      router.nudge();
      healer.pass();
      observer.nudge();
      pauseMs = Math.min(MAX_PAUSE_MS, 3 * (now() - begunAt));
    });
  }

  async function follow(namespace: string): Promise<void> {
    stale.add(namespace);
    const before = journal.view(namespace);
    try {
      await follower.follow(namespace, lifetime);
      stale.delete(namespace);
      pruneSoon(before, journal.view(namespace));
      closeEnded(namespace);
    } catch (error) {
      if (lifetime.aborted) return;
      const level = isSlipwayError(error) ? 'debug' : 'error';
      log[level]({ err: error, namespace }, 'the log could not be followed; trying again');
    }
  }

  /** The log went on: with a release, or without one, which is a deploy that came to nothing (or a job that ran). */
  function pruneSoon(before: LastKnown, after: LastKnown): void {
    if (after.tip === before.tip) return;
    const released = after.live?.n !== before.live?.n;
    if (released) forgetAt = Math.min(forgetAt, now() + PRUNE_AFTER_RELEASE_MS);
    pruneAt = Math.min(pruneAt, now() + (released ? PRUNE_AFTER_RELEASE_MS : PRUNE_AFTER_VOID_MS));
  }

  /** Deploys that the log has ended while nobody told us to close them. */
  function closeEnded(namespace: string): void {
    for (const deploy of endedDeploys(journal.view(namespace))) {
      const key = `${namespace}/${deploy}`;
      if (closing.has(key)) continue;
      closing.add(key);
      void closer
        .close(namespace, deploy)
        .catch((error: unknown) => log.debug({ err: error, namespace, deploy }, 'not closed yet; trying again'))
        .finally(() => closing.delete(key));
    }
  }

  async function followAll(): Promise<void> {
    try {
      const all = new Set([...(await store.log.namespaces()), ...journal.namespaces()]);
      await Promise.all([...all].map(follow));
      if (stale.size > 0) return;
      scene.markKnown();
      changed();
    } catch (error) {
      if (!lifetime.aborted) log.debug({ err: error }, 'the log could not be listed; trying again');
      if (connected) void sleep(RETRY_MS, lifetime).then(() => (connected ? followAll() : undefined));
    }
  }

  async function tick(): Promise<void> {
    while (!lifetime.aborted) {
      await sleep(TICK_MS, lifetime);
      healer.pass();
      deps.sweeper.pass();
      for (const it of journal.namespaces()) closeEnded(it);
      if (connected && stale.size > 0) await followAll();
      if (world.connected() && now() >= networkAt) {
        networkAt = now() + NETWORK_EVERY_MS;
        await deps.creator
          .refreshOverlay()
          .catch((error: unknown) => log.warn({ err: error }, 'the network is not as it must be'));
      }
      if (connected && now() >= pruneAt) {
        pruneAt = now() + PRUNE_EVERY_MS;
        await deps.prune('calm');
      }
      if (connected && now() >= forgetAt) {
        forgetAt = now() + PRUNE_EVERY_MS;
        await journal.forgetSpecs();
        await deps.secrets.forget(journal.specsInUse());
      }
    }
  }

  async function insist(what: string, work: () => Promise<unknown>): Promise<void> {
    let told = '';
    while (!lifetime.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        if (!lifetime.aborted && String(error) !== told)
          log.warn({ err: error }, `${what} did not start; trying again`);
        told = String(error);
        await sleep(RETRY_MS, lifetime);
      }
    }
  }

  async function reconnected(): Promise<void> {
    healer.forgetAttempts();
    await insist('the network', () => deps.creator.refreshOverlay());
    await insist('capacity', async () => {
      const { version, cpuMillicores, memoryBytes } = await deps.engine.info(lifetime);
      scene.setCapacity({ cpuMillicores, memoryBytes, docker: version });
    });
    changed();
    await deps.swaps.resume(lifetime);
  }

  /** Machines that are not heard of any more keep what was last known of them: missing is unknown, not empty. */
  function watchOthers(): void {
    const onChange = ({ value }: { value: unknown }) => {
      const found = MachineSnapshot.safeParse(value);
      if (!found.success || found.data.machine === deps.machine) return;
      scene.setOther(found.data.machine, found.data.instances);
      changed();
    };
    void insist('the watch of other machines', () => store.bucket('observed').watch(onChange, lifetime));
  }

  return {
    connected: () => connected,
    async run() {
      for (const part of [world, deps.prober, deps.instances, journal]) part.subscribe(changed);
      store.onConnection((isConnected) => {
        connected = isConnected;
        log.info({ connected }, connected ? 'connected to NATS' : 'NATS is away; serving and healing from the journal');
        follower.forgetSure();
        if (!connected) return;
        observer.renew();
        void followAll();
      }, lifetime);
      void insist('the watch of the log', () => store.log.watch((namespace) => void follow(namespace), lifetime));
      watchOthers();
      deps.steps.serve(lifetime);
      const { machine, engine, images, portHolders, inventory, volumes } = deps;
      serveQueries({ machine, messages: store.messages, images, portHolders, inventory, volumes, log }, lifetime);
      deps.execs.serve(lifetime);
      serveStreams({ machine, messages: store.messages, engine, world, log }, lifetime);
      await Promise.all([
        insist('the gateway', () => deps.gateway.start(lifetime)).then(changed),
        insist('the network', () => deps.creator.refreshOverlay()).then(() =>
          insist('the resolver', () => deps.names.start(lifetime)),
        ),
        world.run(lifetime, () => void reconnected()),
        observer.run(lifetime),
        deps.disk.run(lifetime),
        tick(),
      ]);
      deps.prober.stop();
    },
  };
}
