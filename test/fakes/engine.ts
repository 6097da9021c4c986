/** A container engine that turns commands into state: containers live, end and restart in memory, and events tell of it. */

import type {
  ContainerState,
  Engine,
  EngineEvent,
  EngineImage,
  EngineNetwork,
  LogLine,
} from '../../agent/docker/port.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Box, inspected, type Program } from './engine-box.ts';
import { createInside } from './inside.ts';

export interface FakeEngine extends Engine {
  /** Every command that changed something, in order: `create slipway-…`, `start web.0`. */
  readonly commands: string[];
  readonly images: Map<string, EngineImage>;
  /** Behaviour of the containers of an image reference. */
  readonly programs: Map<string, Program>;
  /** name → state */
  states(): Record<string, ContainerState>;
  /** Somebody at the machine does this to a container, found by a part of its name. */
  meddle(part: string, what: 'stop' | 'kill' | 'remove' | 'pause' | 'rename' | 'lose'): void;
  /** Docker goes away: calls fail, streams end. Containers go on unless `andStop`. */
  goAway(andStop?: boolean): void;
  /** Docker is back; its restart policies are carried out. */
  comeBack(): void;
  /** How many containers were running at once, at most, of one slot. */
  runningOf(slot: string): number;
}

/** An engine without containers; images are added by the test. */
export function createFakeEngine(): FakeEngine {
  const boxes = new Map<string, Box>();
  const images = new Map<string, EngineImage>();
  const programs = new Map<string, Program>();
  const networks = new Map<string, EngineNetwork>();
  const commands: string[] = [];
  const listeners = new Set<(event: EngineEvent | null) => void>();
  let ids = 0;
  let away = false;

  const unavailable = () => new SlipwayError('ENGINE_UNAVAILABLE', 'Docker does not answer');
  const failed = (status: number, message: string) => new SlipwayError('ENGINE_FAILED', message, { status });
  const tick = async () => {
    await Promise.resolve();
    if (away) throw unavailable();
  };
  const programOf = (box: Box): Program => programs.get(box.config.Image) ?? {};
  const byRef = (ref: string) => boxes.get(ref) ?? [...boxes.values()].find((it) => it.name === ref);
  const slotOf = (box: Box) => box.config.Labels['slipway.slot'] ?? box.name;

  function must(ref: string): Box {
    const box = byRef(ref);
    if (box === undefined) throw failed(404, `no such container: ${ref}`);
    return box;
  }

  function tell(box: Box, action: string): void {
    const code = action === 'die' ? { exitCode: String(box.exitCode) } : {};
    for (const it of listeners)
      it({ type: 'container', action, id: box.id, labels: { ...box.config.Labels, ...code } });
  }

  function run(box: Box): void {
    box.state = 'running';
    box.startedAt = Date.now();
    box.exitCode = null;
    tell(box, 'start');
    const { exitsAfterMs, exitCode = 0 } = programOf(box);
    if (exitsAfterMs !== undefined) box.timer = setTimeout(() => end(box, exitCode, true), exitsAfterMs);
  }

  function end(box: Box, exitCode: number, byItself: boolean): void {
    clearTimeout(box.timer);
    box.state = 'exited';
    box.exitCode = exitCode;
    box.finishedAt = Date.now();
    const policy = box.config.HostConfig.RestartPolicy.Name;
    const again = byItself && (policy === 'unless-stopped' || (policy === 'on-failure' && exitCode !== 0));
    if (again) {
      box.state = 'restarting';
      box.timer = setTimeout(
        () => {
          box.restartCount += 1;
          run(box);
        },
        Math.min(400, 20 * 2 ** box.restartCount),
      );
    }
    tell(box, 'die');
  }

  function remove(box: Box): void {
    clearTimeout(box.timer);
    boxes.delete(box.id);
    tell(box, 'destroy');
  }

  const engine: FakeEngine = {
    commands,
    images,
    programs,
    states: () => Object.fromEntries([...boxes.values()].map((it) => [it.name, it.state])),
    runningOf: (slot) => [...boxes.values()].filter((it) => it.state === 'running' && slotOf(it) === slot).length,
    meddle(part, what) {
      const box = [...boxes.values()].find((it) => it.name.includes(part));
      if (box === undefined) throw new Error(`no container is called like ${part}`);
      if (what === 'stop') end(box, 0, false);
      if (what === 'lose') box.lost = true;
      if (what === 'kill' || what === 'lose') end(box, 137, false);
      if (what === 'remove') remove(box);
      if (what === 'pause') box.state = 'paused';
      if (what === 'rename') box.name = 'something-else';
      if (what === 'pause' || what === 'rename') tell(box, what);
    },
    goAway(andStop = false) {
      away = true;
      for (const box of boxes.values()) if (andStop && box.state === 'running') end(box, 137, false);
      for (const it of listeners) it(null);
    },
    comeBack() {
      away = false;
      for (const box of boxes.values()) {
        const policy = box.config.HostConfig.RestartPolicy.Name;
        if (box.state === 'exited' && box.exitCode === 137 && policy === 'unless-stopped') run(box);
      }
    },

    async info() {
      await tick();
      return {
        version: '0',
        os: 'linux',
        architecture: 'amd64',
        cpuMillicores: 2000,
        memoryBytes: 1 << 30,
        rootDir: '/var/lib/docker',
        storageDriver: 'overlay2',
      };
    },
    async list(labels) {
      await tick();
      return [...boxes.values()]
        .filter((box) => Object.entries(labels).every(([name, value]) => box.config.Labels[name] === value))
        .map((box) => ({ id: box.id, fingerprint: JSON.stringify([box.state, box.name]) }));
    },
    async inspect(ref) {
      await tick();
      const box = byRef(ref);
      return box === undefined ? null : inspected(box);
    },
    async create(name, config) {
      await tick();
      if ([...boxes.values()].some((it) => it.name === name)) throw failed(409, `the name ${name} is taken`);
      if (!images.has(config.Image)) throw failed(404, `no such image: ${config.Image}`);
      ids += 1;
      const id = ids.toString(16).padStart(64, '0').split('').toReversed().join('');
      const box: Box = {
        id,
        name,
        config,
        state: 'created',
        exitCode: null,
        restartCount: 0,
        startedAt: null,
        finishedAt: null,
        createdAt: Date.now(),
        address: `10.210.0.${ids + 1}`,
        timer: undefined,
      };
      boxes.set(id, box);
      commands.push(`create ${slotOf(box)}`);
      tell(box, 'create');
      return id;
    },
    async start(ref) {
      await tick();
      const box = must(ref);
      if (box.state === 'running' || box.state === 'restarting') return;
      const { refusesToStart } = programOf(box);
      if (refusesToStart !== undefined) throw failed(400, refusesToStart);
      if (box.lost === true) throw failed(500, 'task already exists');
      commands.push(`start ${slotOf(box)}`);
      box.restartCount = 0;
      run(box);
    },
    async stop(ref) {
      await tick();
      const box = byRef(ref);
      if (box === undefined || (box.state !== 'running' && box.state !== 'restarting')) return;
      commands.push(`stop ${slotOf(box)}`);
      end(box, 143, false);
    },
    async kill(ref) {
      await tick();
      const box = byRef(ref);
      if (box?.state === 'running') end(box, 137, false);
    },
    async remove(ref) {
      await tick();
      const box = byRef(ref);
      if (box === undefined) return;
      const { refusesToGo } = programOf(box);
      if (refusesToGo !== undefined) throw failed(500, refusesToGo);
      commands.push(`remove ${slotOf(box)}`);
      remove(box);
    },
    async rename(ref, name) {
      await tick();
      const box = must(ref);
      commands.push(`rename ${slotOf(box)}`);
      box.name = name;
      tell(box, 'rename');
    },
    async unpause(ref) {
      await tick();
      const box = must(ref);
      if (box.state !== 'paused') return;
      commands.push(`unpause ${slotOf(box)}`);
      box.state = 'running';
      tell(box, 'unpause');
    },
    async wait(ref) {
      await tick();
      return must(ref).exitCode ?? 0;
    },
    async exec(ref) {
      await tick();
      const box = must(ref);
      if (box.state !== 'running') throw failed(409, 'the container does not run');
      const { probe = 0 } = programOf(box);
      const exitCode = typeof probe === 'number' ? probe : probe();
      return { exitCode, output: exitCode === 0 ? 'fine' : 'not yet' };
    },
    async inside(ref, options) {
      await tick();
      if (must(ref).state !== 'running') throw failed(409, 'the container does not run');
      return createInside(options);
    },
    async logs(ref, { tail }, onLine) {
      await tick();
      const lines = (programOf(must(ref)).logs ?? []).map((line): LogLine => ({ stream: 'stdout', at: '', line }));
      for (const it of lines.slice(-tail)) onLine(it);
    },
    async stats() {
      await tick();
    },
    async events(_labels, onOpen, onEvent, signal) {
      await tick();
      onOpen();
      await new Promise<void>((resolve) => {
        const listener = (event: EngineEvent | null) => {
          if (event !== null) {
            onEvent(event);
            return;
          }
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        signal?.addEventListener('abort', () => listener(null), { once: true });
      });
    },
    async image(ref) {
      await tick();
      return images.get(ref) ?? null;
    },
    async pull(ref, _auth, onProgress) {
      await tick();
      commands.push(`pull ${ref}`);
      onProgress('1.0 of 1.0 MiB');
      images.set(ref, { id: ref, tags: [], repoDigests: [ref], os: 'linux', architecture: 'amd64' });
    },
    async build(tag) {
      await tick();
      images.set(tag, {
        id: `sha256:${'0'.repeat(64)}`,
        tags: [tag],
        repoDigests: [],
        os: 'linux',
        architecture: 'amd64',
      });
    },
    async distribution(ref) {
      await tick();
      throw new SlipwayError('IMAGE_NOT_FOUND', `no registry has ${ref}`);
    },
    async removeImage(ref) {
      await tick();
      if ([...boxes.values()].some((it) => it.config.Image === ref)) return false;
      commands.push(`remove image ${ref}`);
      images.delete(ref);
      return true;
    },
    async listNetworks() {
      await tick();
      return [...networks.values()];
    },
    async createNetwork(config) {
      await tick();
      networks.set(config.name, { id: config.name, driver: 'bridge', ...config });
      return config.name;
    },
    async removeNetwork(id) {
      await tick();
      networks.delete(id);
    },
  };
  return engine;
}
