/**
 * The agent: makes this machine follow the log, and keeps what runs on it running. Wires the parts of this room;
 * everything outside of it (engine, store, gateway, names, network, volumes) is given.
 */
import { setMaxListeners } from 'node:events';
import type { DiskUsage } from '../schemas/disk.ts';
import type { Installation } from '../schemas/installation.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Step } from '../schemas/step.ts';
import type { Store } from '../store/port.ts';
import type { TracePoint } from '../store/trace.ts';
import { createCloser } from './close.ts';
import { createCreator } from './creator.ts';
import { createDiskGuard } from './disk-guard.ts';
import type { Credentials } from './docker/credentials.ts';
import type { Engine } from './docker/port.ts';
import { createExecServer, programOf } from './exec/server.ts';
import { createFollower } from './follow.ts';
import { createHealer } from './healer.ts';
import type { ImageHistory } from './image-history.ts';
import { createImages } from './images.ts';
import { createInstances } from './instances.ts';
import type { ReadInventory } from './inventory.ts';
import type { Journal } from './journal.ts';
import { createKeyedLocks, createLimit } from './locks.ts';
import { createObserver } from './observe.ts';
import type { Gateway, Names, Network, VolumeDriver } from './ports.ts';
import { createProbe } from './probe.ts';
import { createProber } from './prober.ts';
import { createPruner } from './prune.ts';
import { createRetirer } from './retire.ts';
import { createRouter } from './router.ts';
import { createScene } from './scene.ts';
import type { SecretFiles } from './secrets/files.ts';
import { createSecretsOfSpec } from './secrets/secrets.ts';
import type { Vault } from './secrets/vault.ts';
import { createHandlers } from './steps/handlers.ts';
import { createRunningSteps } from './steps/running.ts';
import { createStepServer, type StepServer, type VerifyStep } from './steps/server.ts';
import { createSupervisor } from './supervisor.ts';
import { createSwaps } from './swaps.ts';
import { createSweeper } from './sweeper.ts';
import type { FindTrustedKeys } from './trusted-keys.ts';
import { createVolumeLeftovers } from './volume-leftovers.ts';
import { createWaitReady } from './wait-ready.ts';
import { createWantedImages } from './wanted-images.ts';
import { createWorld } from './world.ts';

/** Container starts at a time; more only make each other slower. */
const STARTS_AT_ONCE = 4;

export interface AgentDeps {
  readonly installation: Installation;
  readonly engine: Engine;
  readonly store: Store;
  readonly journal: Journal;
  readonly imageHistory: ImageHistory;
  readonly credentials: Credentials;
  readonly gateway: Gateway;
  readonly names: Names;
  readonly network: Network;
  readonly volumes: VolumeDriver;
  readonly vault: Vault;
  readonly secretFiles: SecretFiles;
  /** Other programs that have one of these tcp ports of the machine. */
  readonly portHolders: (ports: readonly number[]) => Promise<readonly object[]>;
  /** What the machine has of a namespace. */
  readonly inventory: ReadInventory;
  /** Root of the installation's files. */
  readonly stateDir: string;
  /** null: the folder is not on this machine. */
  readonly diskUsage: (folder: string) => Promise<DiskUsage | null>;
  readonly verify: VerifyStep;
  readonly trustedKeys: FindTrustedKeys;
  /** Names the commands that people run in containers, so that the next agent ends those that this one could not. */
  readonly execFolder: string;
  readonly log: Logger;
  readonly trace: TracePoint;
  readonly now: () => number;
  readonly versions: Readonly<Record<string, string>>;
  /** Ends the agent; containers, gateway and resolver go on. */
  readonly lifetime: AbortSignal;
}

export interface Agent {
  /** Works until the lifetime ends. */
  run(): Promise<void>;
  readonly steps: StepServer;
}

export function createAgent(deps: AgentDeps): Agent {
  const { engine, store, journal, gateway, names, network, volumes, log, trace, now, lifetime } = deps;
  const { id: installation, machine } = deps.installation;
  // Every wait of every part listens to its end.
  setMaxListeners(0, lifetime);
  const locks = createKeyedLocks();
  const startLimit = createLimit(STARTS_AT_ONCE);
  const bornAt = now();

  const world = createWorld({ engine, installation, log });
  const prober = createProber({ probe: createProbe({ engine }), now, bornAt });
  const running = createRunningSteps({ lifetime });
  const wanted = createWantedImages({ journal, now });
  const prune = createPruner({
    engine,
    history: deps.imageHistory,
    wanted,
    journal,
    log: store.log,
    specs: store.specs,
    logger: log,
  });
  const tell = (kind: string, namespace: string | null, message: string) => {
    const at = new Date(now()).toISOString();
    store.events
      .publish({ at, kind, namespace, deploy: null, machine, actor: `agent/${machine}`, message })
      .catch((error: unknown) => log.debug({ err: error }, 'an event was lost'));
  };
  const disk = createDiskGuard({
    stateDir: deps.stateDir,
    engine,
    usage: deps.diskUsage,
    prune,
    tell: (kind, message) => tell(kind, null, message),
    log,
  });
  const images = createImages({
    engine,
    credentials: deps.credentials,
    disk,
    onPulled: (image) => deps.imageHistory.add(image),
  });
  const secrets = createSecretsOfSpec({ vault: deps.vault, files: deps.secretFiles });
  const creator = createCreator({ engine, images, volumes, network, secrets, lifetime });
  const spec = (digest: string) => journal.spec(digest);
  const instances = createInstances({
    engine,
    world,
    creator,
    gateway,
    installation,
    spec,
    locks,
    startLimit,
    lifetime,
  });
  const scene = createScene({
    machine,
    journal,
    world,
    prober,
    instances,
    gateway,
    bornAt,
    now,
    versions: deps.versions,
  });
  const router = createRouter({ compute: () => scene.routed(), gateway, names, network, log, trace, lifetime });
  const ready = createWaitReady({ world, prober, engine, now });
  const swaps = createSwaps({ journal, instances, ready, locks, log, trace, now, lifetime });
  const volumeLeftovers = createVolumeLeftovers({ volumes, world, log: store.log, logger: log });
  const closer = createCloser({ journal, running, swaps, instances, world, volumeLeftovers, secrets, machine, log });
  const follower = createFollower({ log: store.log, specs: store.specs, journal, router, locks, logger: log });
  const retirer = createRetirer({ journal, world, instances, machine });
  const healer = createHealer({
    installation,
    machine,
    journal,
    world,
    prober,
    instances,
    now,
    log,
    lifetime,
    onHealed: (it) => {
      tell('drift.healed', it.namespace, `${it.slot}: ${it.what}`);
      observer.nudge();
    },
  });
  const sweeper = createSweeper({
    journal,
    world,
    instances,
    follower,
    machine,
    now,
    log,
    onSwept: ({ identity: it }) => tell('orphan.removed', it.namespace, `${it.slot}: no release names its container`),
  });
  const observer = createObserver({
    machine,
    observed: store.bucket('observed'),
    machines: store.bucket('machines'),
    messages: store.messages,
    snapshot: () => {
      const found = scene.snapshot(router.applied(), healer.drift());
      return found === null ? null : { ...found, disk: [...disk.reports()] };
    },
    connected: () => supervisor.connected(),
    now,
    log,
  });
  const steps = createStepServer({
    messages: store.messages,
    verify: deps.verify,
    installation,
    machine,
    journal,
    running,
    handlers: createHandlers({
      installation,
      engine,
      world,
      creator,
      vault: deps.vault,
      journal,
      locks,
      startLimit,
      lifetime,
      now,
      images,
      wanted,
      volumes,
      instances,
      ready,
      follower,
      swaps,
      retirer,
      closer,
      log: store.log,
    }),
    stillHolds: (step) => stillHolds(step),
    log,
    trace,
  });

  const execs = createExecServer({
    installation,
    machine,
    messages: store.messages,
    engine,
    world,
    trustedKeys: deps.trustedKeys,
    folder: deps.execFolder,
    onRun: (order) => {
      const { namespace, slot, actor, argv } = order;
      const at = new Date(now()).toISOString();
      store.events
        .publish({ at, kind: 'exec', namespace, deploy: null, machine, actor, message: `${slot}: ${programOf(argv)}` })
        .catch((error: unknown) => log.warn({ err: error }, 'an event was lost'));
    },
    log,
    now,
    bornAt,
  });

  function stillHolds({ namespace, action }: Step): boolean {
    if (action.verb === 'start') return ready.isReady(namespace, action.order.row);
    if (action.verb === 'swap') return action.starts.every((it) => ready.isReady(namespace, it.row));
    return true;
  }

  const supervisor = createSupervisor({
    machine,
    store,
    journal,
    world,
    prober,
    instances,
    scene,
    router,
    follower,
    closer,
    swaps,
    healer,
    sweeper,
    observer,
    prune,
    secrets,
    disk,
    gateway,
    names,
    creator,
    images,
    portHolders: deps.portHolders,
    inventory: deps.inventory,
    volumes,
    engine,
    steps,
    execs,
    log,
    now,
    lifetime,
  });
  return { run: () => supervisor.run(), steps };
}
