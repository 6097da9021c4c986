/** The engine adapter on a real engine. */
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine } from '../../../agent/docker/engine.ts';
import { containerConfig } from '../../../agent/docker/options.ts';
import type { Engine, EngineEvent, LogLine, RegistryAuth, StatsSample } from '../../../agent/docker/port.ts';
import { createImages } from '../../../agent/images.ts';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { type ServiceOverrides, serviceSpec } from '../../builders/service.ts';
import { openRegistry, type TestRegistry } from './registry.ts';

const id = randomBytes(4).toString('hex');
const tag = `slipway-engine-test:${id}`;
const labels = { 'slipway.installation': id };
const engine: Engine = createEngine({ socketPath: '/var/run/docker.sock' });
const signal = () => AbortSignal.timeout(20_000);
let localId = '';
let made = 0;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  await copyFile('/bin/busybox', join(folder, 'busybox'));
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY busybox /bin/sh\n');
  await engine.build(tag, folder, ['Dockerfile', 'busybox']);
  await rm(folder, { recursive: true });
  localId = (await engine.image(tag))?.id ?? '';
}, 60_000);
afterAll(async () => {
  for (const it of await engine.list(labels)) await engine.remove(it.id);
  await engine.removeImage(tag);
});

async function create(script: string, template: ServiceOverrides<ServiceSpec>['template'] = {}): Promise<string> {
  const spec = serviceSpec({
    template: {
      image: { localId, name: tag },
      network: 'none',
      command: ['/bin/sh', '-c', script],
      restart: 'no',
      ...template,
    },
  });
  made += 1;
  return await engine.create(
    `slipway-engine-test-${id}-${made}`,
    containerConfig({
      template: spec.template,
      stopGracePeriodMs: 1000,
      labels: { ...labels, n: String(made) },
      hostname: 'h',
      job: false,
      overlay: { name: '', gatewayAddress: '' },
      volumePaths: {},
      secrets: { values: {}, paths: {} },
    }),
  );
}

it('creates, starts, execs, pauses, renames, stops and removes; each true again when it is so already', async () => {
  const at = await create('trap "exit 5" TERM; while :; do sleep 0.05; done');
  expect(await engine.inspect(at)).toMatchObject({ state: 'created', startedAt: null, exitCode: null });
  await engine.start(at);
  await engine.start(at);
  expect(await engine.inspect(at)).toMatchObject({ state: 'running', labels: { n: String(made) } });
  expect(await engine.exec(at, ['/bin/sh', '-c', 'echo out; exit 3'], 5000)).toEqual({ exitCode: 3, output: 'out\n' });
  await expect(engine.exec(at, ['/bin/sh', '-c', 'sleep 5'], 200)).rejects.toMatchObject({ code: 'AGENT_TIMEOUT' });
  await engine.rename(at, `slipway-engine-test-${id}-renamed`);
  expect((await engine.inspect(`slipway-engine-test-${id}-renamed`))?.id).toBe(at);
  await engine.stop(at, 1000);
  await engine.stop(at, 1000);
  expect(await engine.inspect(at)).toMatchObject({ state: 'exited', exitCode: 5 });
  await engine.remove(at);
  await engine.remove(at);
  expect(await engine.inspect(at)).toBe(null);
});

it('applies limits', async () => {
  const at = await create('cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max', {
    memoryBytes: 64 << 20,
    cpuMillicores: 500,
    capDrop: ['ALL'],
  });
  await engine.start(at);
  expect(await engine.wait(at, signal())).toBe(0);
  const lines: LogLine[] = [];
  await engine.logs(at, { tail: 10, follow: false }, (it) => lines.push(it));
  expect(lines.map((it) => it.line)).toContain(String(64 << 20));
});

it('says with its status why it refused', async () => {
  const at = await create('true');
  const name = (await engine.inspect(at))?.name ?? '';
  const config = containerConfig({
    template: serviceSpec({ template: { image: { localId: `sha256:${'0'.repeat(64)}`, name: 'x' }, network: 'none' } })
      .template,
    stopGracePeriodMs: 0,
    labels,
    hostname: 'h',
    job: false,
    overlay: { name: '', gatewayAddress: '' },
    volumePaths: {},
    secrets: { values: {}, paths: {} },
  });
  await expect(engine.create(`${name}-x`, config)).rejects.toMatchObject({
    code: 'ENGINE_FAILED',
    details: { status: 404 },
  });
  await expect(engine.create(name, { ...config, Image: tag, Cmd: ['true'] })).rejects.toMatchObject({
    details: { status: 409 },
  });
  const gone = createEngine({ socketPath: `/tmp/slipway-no-engine-${id}` });
  await expect(gone.list({})).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

it('follows logs of both streams, events and statistics, and ends each with the signal', async () => {
  const at = await create('echo one; echo two >&2; while :; do echo tick; sleep 0.1; done');
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  const lines: LogLine[] = [];
  const samples: StatsSample[] = [];
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const streams = [engine.events(labels, open, (it) => events.push(it), stop.signal)];
  await opened;
  await engine.start(at);
  streams.push(engine.logs(at, { tail: 100, follow: true }, (it) => lines.push(it), stop.signal));
  streams.push(engine.stats(at, (it) => samples.push(it), stop.signal));
  await expect.poll(() => samples.length, { timeout: 8000 }).toBeGreaterThan(0);
  await engine.kill(at, 'SIGKILL');
  await expect
    .poll(() => events.some((it) => it.action === 'die' && it.labels['exitCode'] === '137'), { timeout: 3000 })
    .toBe(true);
  stop.abort();
  await Promise.all(streams);
  expect(lines).toContainEqual({ stream: 'stdout', at: expect.stringMatching(/^20\d\d-/), line: 'one' });
  expect(lines).toContainEqual({ stream: 'stderr', at: expect.any(String), line: 'two' });
  expect(lines.filter((it) => it.line === 'tick').length).toBeGreaterThan(0);
  expect(samples[0]?.memoryBytes).toBeGreaterThan(0);
  expect(events.filter((it) => it.id === at).map((it) => it.action)).toContain('start');
});

it('says what is wrong with a build', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY missing /x\n');
  await expect(engine.build(`${tag}-bad`, folder, ['Dockerfile'])).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  await rm(folder, { recursive: true });
});

it('tells apart what registries say, and pulls with credentials', async () => {
  const repos = { open: 'serves', locked: 'wants-login', foreign: 'only-arm64', broken: 'fails' } as const;
  const registry: TestRegistry = await openRegistry(repos, id);
  const auth: RegistryAuth = { username: registry.user, password: registry.password, serveraddress: registry.host };
  const noted: string[] = [];
  const images = (with_: RegistryAuth | null) =>
    createImages({
      engine,
      credentials: async () => with_,
      disk: { withRoom: async (_, pull) => await pull() },
      onPulled: async ({ repo }) => void noted.push(repo),
    });
  const at = (repo: string) => `${registry.host}/${repo}`;
  const ref = (repo: string) => ({ repo: at(repo), digest: registry.digest });
  try {
    const code = async (repo: string, with_: RegistryAuth | null = auth) =>
      await images(with_)
        .resolve(`${at(repo)}:1`, 'if-not-present', signal())
        .then(
          () => 'found',
          (error: unknown) => (error as { code: string }).code,
        );
    expect(await code('open')).toBe('found');
    expect(await code('locked')).toBe('found');
    expect(await code('locked', null)).toBe('IMAGE_UNAUTHORIZED');
    expect(await code('missing')).toBe('IMAGE_NOT_FOUND');
    expect(await code('foreign')).toBe('IMAGE_PLATFORM');
    expect(await code('broken')).toBe('REGISTRY_UNAVAILABLE');

    const pull = (repo: string, with_: RegistryAuth | null = auth) =>
      images(with_).ensure(ref(repo), `${at(repo)}:1`, () => {}, signal());
    await expect(pull('locked', null)).rejects.toMatchObject({ code: 'IMAGE_UNAUTHORIZED' });
    await expect(pull('missing')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await pull('locked');
    expect(noted).toEqual([at('locked')]);
    expect(await images(auth).resolve(`${at('locked')}@${registry.digest}`, 'never', signal())).toEqual(ref('locked'));
    expect(await engine.removeImage(`${at('locked')}@${registry.digest}`)).toBe(true);
    expect(await engine.image(`${at('locked')}@${registry.digest}`)).toBe(null);
  } finally {
    registry.close();
  }
  await expect(images(null).resolve(`${registry.host}/open:1`, 'always', signal())).rejects.toMatchObject({
    code: 'REGISTRY_UNAVAILABLE',
  });
}, 60_000);
