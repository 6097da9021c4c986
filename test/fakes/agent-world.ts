/** A whole agent over a fake engine, a store in memory and neighbours that write down what they were asked. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Agent, createAgent } from '../../agent/agent.ts';
import { tracedEngine } from '../../agent/docker/traced.ts';
import { openImageHistory } from '../../agent/image-history.ts';
import { type Journal, openJournal } from '../../agent/journal.ts';
import type { Gateway, ListedVolume, Names, Network, VolumeDriver } from '../../agent/ports.ts';
import { openVault } from '../../agent/secrets/vault.ts';
import { sleep } from '../../agent/waiting.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { Release, SlotRow } from '../../schemas/release.ts';
import type { RoutingTable } from '../../schemas/routing.ts';
import { imageText, type Readiness, type ServiceSpec } from '../../schemas/service.ts';
import type { Fence, Step, StepAction, StepReply } from '../../schemas/step.ts';
import { createFaultyStore } from '../../store/memory.ts';
import type { TracePoint } from '../../store/trace.ts';
import { generateMachineKeys } from '../../trust/seal.ts';
import { deployId, release, slotRows } from '../builders/release.ts';
import { createFakeEngine, type FakeEngine } from './engine.ts';

const INSTALLATION = '0a1b2c3d';
const EMPTY: RoutingTable = { http: [], tcp: [], backends: [], names: [], members: [] };

interface SendOptions {
  readonly deploy?: string;
  readonly id?: string;
  readonly fence?: Fence;
  readonly namespace?: string;
  readonly machine?: string;
  readonly installation?: string;
}

/** One machine with its state folder; agents on it come and go. */
export function createAgentWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-agent-'));
  const engine: FakeEngine = createFakeEngine();
  const { store, faults } = createFaultyStore({ clock: { now: () => Date.now() }, log: silentLogger });
  const keys = generateMachineKeys();
  const tables: RoutingTable[] = [];
  const drained: string[] = [];
  const made: ListedVolume[] = [];
  let drainsFail = false;
  let drainGate: Promise<void> = Promise.resolve();
  let life = new AbortController();
  let agent: Agent | null = null;
  let journal: Journal | null = null;
  let ended: Promise<void> = Promise.resolve();

  const gateway: Gateway = {
    start: async () => {},
    apply: async (table) => void tables.push(table),
    drain: async (id) => {
      if (drainsFail) throw new SlipwayError('GATEWAY_FAILED', 'HAProxy does not answer');
      drained.push(id);
      await drainGate;
      return { cut: 0 };
    },
    status: () => ({ httpPort: 80, problems: [] }),
    stop: async () => {},
  };
  const names: Names = { start: async () => {}, apply: async () => {}, stop: async () => {} };
  const network: Network = {
    ensure: async () => ({ name: 'slipway', bridge: 'slip0', subnet: '10.210.0.0/24', gatewayAddress: '10.210.0.1' }),
    isolate: async () => {},
    remove: async () => {},
  };
  const volumes: VolumeDriver = {
    kind: 'fake',
    capabilities: { atomicSnapshot: false, cheapClone: false, quota: false },
    ensure: async (namespace, { name }, deploy) => {
      const path = `/volumes/${namespace}/${name}`;
      if (!made.some((it) => it.path === path))
        made.push({ namespace, volume: name, path, ...(deploy === undefined ? {} : { deploy }) });
      return path;
    },
    list: async () => [...made],
    destroy: async (namespace, volume, madeBy) => {
      const wanted = (it: ListedVolume) => madeBy === undefined || it.deploy === madeBy;
      const at = made.findIndex((it) => it.namespace === namespace && it.volume === volume && wanted(it));
      if (at >= 0) made.splice(at, 1);
      return at >= 0;
    },
  };

  /** `trace` sees every point; when it throws, the agent is as good as dead until `shutdown`. */
  async function boot(trace: TracePoint = () => {}): Promise<void> {
    life = new AbortController();
    journal = await openJournal({ folder: join(folder, 'journal'), trace });
    agent = createAgent({
      installation: {
        id: INSTALLATION,
        machine: 'm1',
        subnetIndex: 0,
        bridge: 'slip0',
        httpPort: 80,
        natsUrl: null,
        dockerSocket: '/nowhere',
      },
      engine: tracedEngine(engine, trace),
      store,
      journal,
      imageHistory: await openImageHistory({ path: join(folder, 'images.json') }),
      credentials: async () => null,
      gateway,
      names,
      network,
      volumes,
      vault: await openVault({
        path: join(folder, 'secrets.json'),
        installation: INSTALLATION,
        keys: async () => await keys,
        trace,
        onOpened: () => {},
      }),
      secretFiles: {
        ensure: async (namespace, name, version) => `/secrets/${namespace}/${name}.${version}`,
        keepOnly: async () => {},
        removeNamespace: async () => {},
      },
      portHolders: async () => [],
      inventory: async () => ({ containers: [], servers: [], routes: [], filter: [], volumes: [], files: [] }),
      stateDir: folder,
      diskUsage: async () => null,
      verify: (signed) => JSON.parse(signed.body) as Step,
      trustedKeys: async () => new Map(),
      execFolder: join(folder, 'execs'),
      log: silentLogger,
      trace,
      now: () => Date.now(),
      versions: {},
      lifetime: life.signal,
    });
    ended = agent.run();
  }

  async function shutdown(): Promise<void> {
    life.abort();
    await ended;
  }

  function send(action: StepAction, options: SendOptions = {}): Promise<StepReply> {
    if (agent === null) throw new Error('no agent runs');
    const { deploy = deployId(1), id = action.verb, fence = { generation: 1, revision: 1 } } = options;
    const { namespace = 'production', machine = 'm1', installation = INSTALLATION } = options;
    const step: Step = { installation, machine, namespace, deploy, id, fence, action };
    return agent.steps.answer({ body: JSON.stringify(step), keyId: 'k', signature: 's' });
  }

  const world = {
    engine,
    store,
    faults,
    volumes,
    drained,
    folder,
    boot,
    shutdown,
    journal: () => journal as Journal,
    table: () => tables.at(-1) ?? EMPTY,
    failDrains(fail: boolean): void {
      drainsFail = fail;
    },
    /** Drains do not end until the function it gives is called. */
    holdDrains(): () => void {
      let open = () => {};
      drainGate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
    /** The image of a spec is on the machine. */
    offer(...specs: ServiceSpec[]): void {
      for (const it of specs) {
        const ref = imageText(it.template.image);
        engine.images.set(ref, { id: ref, tags: [], repoDigests: [], os: 'linux', architecture: 'amd64' });
      }
    },
    send,
    /** Sends the step until it is done, failed or refused. */
    async ask(action: StepAction, options?: SendOptions): Promise<StepReply> {
      for (;;) {
        const reply = await send(action, options);
        if (reply.state !== 'accepted') return reply;
        await sleep(10, new AbortController().signal);
      }
    },
    row(spec: ServiceSpec, deploy = deployId(1)): SlotRow {
      const [row] = slotRows(spec, { deploy });
      if (row === undefined) throw new Error('no slot');
      return row;
    },
    /** Appends a release of the specs; slots are those of `deploy` unless rows are given. */
    async commit(specs: readonly ServiceSpec[], overrides: Partial<Release> = {}): Promise<Release> {
      const deploy = overrides.deploy ?? deployId(1);
      const slots = specs.flatMap((it) => slotRows(it, { deploy }));
      const n = (await store.log.tip('production')) + 1;
      const entry = release(specs, { slots, n, deploy, ...overrides });
      await store.specs.put(specs);
      await store.log.append(entry);
      return entry;
    },
    async voidDeploy(deploy = deployId(1)): Promise<number> {
      const n = (await store.log.tip('production')) + 1;
      const at = '2026-01-01T00:00:00.000Z';
      await store.log.append({ kind: 'void', namespace: 'production', n, at, actor: 'loop', deploy, reason: 'test' });
      return n;
    },
    /** First deploy of the specs, from start to close. */
    async deploy(specs: readonly ServiceSpec[], deploy = deployId(1)): Promise<number> {
      world.offer(...specs);
      for (const spec of specs) {
        for (const row of slotRows(spec, { deploy })) {
          const reply = await world.ask({ verb: 'start', order: { row, spec } }, { deploy, id: `start/${row.slot}` });
          if (reply.state !== 'done') throw new Error(JSON.stringify(reply));
        }
      }
      const { n } = await world.commit(specs, { deploy });
      for (const verb of ['apply', 'retire', 'close'] as const) {
        const reply = await world.ask({ verb, n }, { deploy, id: `${verb}/${n}` });
        if (reply.state !== 'done') throw new Error(`${verb}: ${JSON.stringify(reply)}`);
      }
      return n;
    },
    async remove(): Promise<void> {
      await shutdown();
      // What an agent began to write when it ended is still on its way to the disk.
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
    },
  };
  return world;
}

export type AgentWorld = ReturnType<typeof createAgentWorld>;

/** A probe run in the container, often: what the image's program says decides. */
export function execReadiness(overrides: Partial<Readiness> = {}): Readiness {
  return {
    probe: { kind: 'exec', command: ['check'] },
    intervalMs: 20,
    timeoutMs: 1000,
    retries: 3,
    startPeriodMs: 0,
    livenessTimeoutMs: null,
    ...overrides,
  };
}

/** Looks until it holds. */
export async function eventually(holds: () => boolean, withinMs = 3000): Promise<void> {
  const until = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > until) throw new Error(`did not come true within ${withinMs} ms: ${String(holds)}`);
    await pause(5);
  }
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, signal ?? new AbortController().signal);
}
