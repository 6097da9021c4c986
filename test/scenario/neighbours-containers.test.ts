/** What a manifest says of a container is what is in the container; what goes wrong with one leaves the others alone. */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRegistry, type TestRegistry } from '../contract/agent/registry.ts';
import { webService } from '../lab/fleet.ts';
import { type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask } from '../lab/probe.ts';

const run = promisify(execFile);
const KIB = 1024;
const MIB = 1024 * KIB;

let host: Host;
let registry: TestRegistry;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  registry = await openRegistry({ 'shop/web': 'only-arm64' }, host.installation.id);
});

afterAll(async () => {
  registry?.close();
  await host?.destroy();
});

async function deploy(namespace: string, services: readonly unknown[], more: object = {}): Promise<Ran> {
  return await host.slipway(['deploy', '-f', await host.manifest(namespace, { namespace, services, ...more })]);
}

async function deployed(...args: Parameters<typeof deploy>): Promise<void> {
  const ran = await deploy(...args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
}

async function containersOf(namespace: string) {
  return (await readContainers(host, true)).filter((it) => it.namespace === namespace);
}

async function containerOf(namespace: string, slot: string): Promise<string> {
  const found = (await containersOf(namespace)).find((it) => it.slot === slot);
  return found?.id ?? `${namespace}/${slot} has no container`;
}

async function inside(id: string, ...argv: readonly string[]): Promise<Buffer> {
  const options = { encoding: 'buffer', maxBuffer: 16 * MIB } as const;
  return (await run('docker', ['exec', id, ...argv], options)).stdout;
}

/** The strings of a file of proc(5) that ends each of them with NUL. */
const strings = (bytes: Buffer) => bytes.toString('utf8').split('\0').slice(0, -1);

const LONG = {
  namespace: `ns-${'n'.repeat(60)}`,
  service: `service_${'s'.repeat(55)}`,
  volume: `volume-${'v'.repeat(56)}`,
  hostname: `${'h'.repeat(63)}.test`,
};

const ODD: readonly string[] = [
  `it's "quoted", \\" \\' and \\\\`,
  'first\nsecond\r\n\tthird\n\n',
  'Grüße, 世界, 🚢, e\u0301, \u202eright to left, \u00a0, \ufeff',
  '$HOME ${HOME} $(id) $$ `id` %PATH% %s',
  '; rm -rf / | & && > < * ? [a-z] ~ ! # ^ -- -x',
  '{ } {a,b} ${a:-{b}} }} @file',
  '  blanks around  ',
  'a=b=c',
  '',
];

it.concurrent('environments of 64 KiB, names of 63 characters and odd characters arrive byte for byte', async () => {
  const odd = ODD.join('|');
  const big = odd.repeat(Math.ceil((64 * KIB) / Buffer.byteLength(odd)));
  // What Linux takes at most (execve(2)): 32 pages with the name and the final NUL.
  const longest = 'x'.repeat(128 * KIB - Buffer.byteLength('LONGEST=\0'));
  const env: Record<string, string> = { VERSION: '63', BIG: big, LONGEST: longest };
  for (const [n, value] of ODD.entries()) env[`ODD_${n}`] = value;
  for (let n = 0; n < KIB; n++) env[`MANY_${n}`] = `${n} `.repeat(64).slice(0, 56);
  const name = LONG.service;
  const service = webService({ hostname: LONG.hostname, name, version: '63', env });
  const mounts = [{ source: { volume: LONG.volume }, target: '/data' }];
  const template = { ...(service['template'] as object), command: ODD, mounts };
  await deployed(LONG.namespace, [{ ...service, template }], { volumes: [{ name: LONG.volume }] });

  const id = await containerOf(LONG.namespace, `${name}.0`);
  const found = strings(await inside(id, 'cat', '/proc/1/environ')).map((it) => it.split(/=(.*)/s));
  const own = found.filter(([key = '']) => Object.hasOwn(env, key));
  expect(Object.fromEntries(own) as unknown).toEqual(env);
  expect(strings(await inside(id, 'cat', '/proc/1/cmdline'))).toEqual(['/bin/sh', '/start', ...ODD]);

  expect((await ask(host.httpPort, LONG.hostname)).body).toBe('web 63');
  expect((await inside(id, 'wget', '-qO-', `http://${name}:8080/`)).toString().trim()).toBe('web 63');
  const turn = join(host.stateDir, 'volumes', LONG.namespace, LONG.volume, 'turn');
  // It is written again and again.
  await expect.poll(() => readFile(turn, 'utf8')).toMatch(/^[0-9a-f-]{36}\n$/);
  for (const args of [
    ['status', LONG.namespace],
    ['logs', `${LONG.namespace}/${name}`],
  ])
    expect(await host.slipway(args), args.join(' ')).toMatchObject({ code: 0 });
});

it.concurrent('limits of memory and CPU are exactly those of the manifest', async () => {
  const resources = { memory: '96Mi', cpu: '250m' };
  const service = webService({ hostname: 'limits.test' });
  await deployed('limits', [{ ...service, template: { ...(service['template'] as object), resources } }]);
  const id = await containerOf('limits', 'web.0');
  const { HostConfig } = await inspect(id);
  expect(HostConfig).toMatchObject({ Memory: 96 * MIB, NanoCpus: 250_000_000 });
  expect(await cgroupLimits(id)).toEqual({ memoryBytes: 96 * MIB, cpuMillicores: 250 });
});

it.concurrent('what takes more memory than its limit is killed, and the deploy says so', async () => {
  const template = {
    image: WEB_IMAGE,
    entrypoint: ['/bin/tail', '-c', '64m', '/dev/zero'],
    resources: { memory: '16Mi' },
  };
  const ran = await deploy('greedy', [{ name: 'hog', job: true, template }]);
  expect(ran.code).toBe(1);
  expect(ran.stdout + ran.stderr).toMatch(
    /job hog: it (was killed|ended with exit code 137, most likely) for lack of memory/,
  );
});

it.concurrent('logs are rotated at the size and number of the manifest', async () => {
  const log = { max_size: '16Ki', max_files: 2 };
  const script = 'i=0; while [ "$i" -lt 4000 ]; do echo "this is line $i"; i=$((i+1)); done; exec sleep 1000000';
  const template = { image: WEB_IMAGE, entrypoint: ['/bin/sh', '-c', script], stop_grace_period: '1s' };
  await deployed('chatty', [
    { name: 'set', template: { ...template, log } },
    { name: 'default', template },
  ]);
  const id = await containerOf('chatty', 'set.0');
  const last = async () => (await host.slipway(['logs', 'chatty/set', '--tail', '1'])).stdout;
  await expect.poll(last, { timeout: 20_000 }).toContain('this is line 3999');
  const { HostConfig, LogPath } = await inspect(id);
  expect(HostConfig.LogConfig).toEqual({ Type: 'json-file', Config: { 'max-size': '16384', 'max-file': '2' } });
  const folder = dirname(LogPath);
  const files = (await readdir(folder)).filter((it) => it.includes('-json.log'));
  const sizes = await Promise.all(files.map(async (it) => (await stat(join(folder, it))).size));
  expect(files).toHaveLength(2);
  // A line that begins below the limit is written whole.
  expect(Math.max(...sizes)).toBeLessThan(16 * KIB + 200);
  const byDefault = await inspect(await containerOf('chatty', 'default.0'));
  expect(byDefault.HostConfig.LogConfig.Config).toEqual({ 'max-size': String(10 * MIB), 'max-file': '3' });
});

it.concurrent('a job sees the environment of the candidate, while the old version still serves', async () => {
  const services = (version: string) => [
    webService({ hostname: 'jobs.test', version, more: { depends_on: { migrate: 'completed' } } }),
    {
      name: 'migrate',
      job: true,
      template: {
        image: WEB_IMAGE,
        env: { VERSION: version },
        entrypoint: ['/bin/sh', '-c', 'echo "version $VERSION beside $(wget -qO- http://web:8080/ || echo nothing)"'],
      },
    },
  ];
  const said = async () => (await run('docker', ['logs', await containerOf('jobs', 'migrate.job')])).stdout.trim();
  await deployed('jobs', services('1'));
  expect(await said()).toBe('version 1 beside nothing');
  await deployed('jobs', services('2'));
  expect(await said()).toBe('version 2 beside web 1');
  expect((await ask(host.httpPort, 'jobs.test')).body).toBe('web 2');
});

it.concurrent('a bad image leaves the old containers, and those of other services and namespaces, untouched', async () => {
  const services = (bad: Partial<Parameters<typeof webService>[0]>, workerVersion = '1') => [
    webService({ hostname: 'bad.test', more: { restart: 'no' }, ...bad }),
    webService({ hostname: 'worker.bad.test', name: 'worker', version: workerVersion }),
  ];
  await deployed('bad', services({}));
  await deployed('beside', [webService({ hostname: 'beside.test' })]);
  const state = async () => {
    const containers = [...(await containersOf('bad')), ...(await containersOf('beside'))];
    const answers = ['bad.test', 'worker.bad.test', 'beside.test'].map((it) => ask(host.httpPort, it));
    return {
      containers: containers.map((it) => `${it.slot} ${it.id} ${it.startedAt} ${it.state}`).toSorted(),
      answers: (await Promise.all(answers)).map((it) => it.body),
    };
  };
  const before = await state();
  expect(before.answers).toEqual(['web 1', 'web 1', 'web 1']);
  const exits = { version: '2', env: { EXIT_AT_ONCE: '1' } };
  for (const [code, bad, workerVersion] of [
    ['IMAGE_NOT_FOUND', { image: `${registry.host}/shop/missing:2` }, '1'],
    ['IMAGE_PLATFORM', { image: `${registry.host}/shop/web:2` }, '2'],
    ['EXITED', exits, '1'],
    ['EXITED', exits, '2'],
  ] as const) {
    const file = await host.manifest('bad', { namespace: 'bad', services: services(bad, workerVersion) });
    const ran = await host.slipway(['deploy', '-f', file, '--json']);
    expect(ran.code, ran.stdout).toBe(1);
    expect(ran.stdout).toContain(`"${code}"`);
    expect(await state(), code).toEqual(before);
  }
});

interface Status {
  readonly namespaces: readonly { readonly record: object }[];
}

interface Row {
  readonly n: number;
  readonly kind: string;
  readonly final?: boolean;
  readonly lineage?: { readonly rollbackTo: number | null };
}

it.concurrent('rollback: to a number that is no release changes nothing; without a number, to what converged last', async () => {
  // The replica of that hostname gives up: the first batch of the deploy is live then, the second is not.
  const script = 'if [ "$(hostname)" = "$FAILS" ]; then exit 3; fi; exec /bin/sh /start';
  const services = (version: string, fails = '') => {
    const strategy = { rolling: { max_surge: 1 } };
    const more = { strategy, restart: 'no', placement: { replicated: { count: 2 } } };
    const service = webService({ hostname: 'back.test', version, env: { FAILS: fails }, more });
    const entrypoint = ['/bin/sh', '-c', script];
    return [{ ...service, template: { ...(service['template'] as object), entrypoint } }];
  };
  const rows = async () => {
    const { stdout } = await host.slipway(['releases', 'back', '--json']);
    return (JSON.parse(stdout) as { data: { live: number; entries: Row[] } }).data;
  };
  const everything = async () => {
    const status = JSON.parse((await host.slipway(['status', 'back', '--json'])).stdout) as { data: Status };
    const containers = (await containersOf('back')).map((it) => `${it.slot} ${it.version} ${it.startedAt}`);
    return { rows: await rows(), containers: containers.toSorted(), status: status.data.namespaces };
  };
  const versions = async () => (await containersOf('back')).map((it) => it.version).toSorted();

  await deployed('back', services('1'));
  await deployed('back', services('2'));
  const converged = (await rows()).live;
  expect(await deploy('back', services('3', 'web-1'))).toMatchObject({ code: 1 });
  expect(await versions(), 'one batch of version 3 is live').toEqual(['2', '3']);
  const { live, entries } = await rows();
  expect(entries.find((it) => it.n === live)).toMatchObject({ kind: 'release', final: false });
  const voided = entries.find((it) => it.kind === 'void')?.n ?? 0;
  const releases = entries.filter((it) => it.kind === 'release').map((it) => `#${it.n}`);

  const before = await everything();
  for (const number of [99, voided]) {
    const ran = await host.slipway(['rollback', 'back', '--to', String(number)]);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`back has no release #${number}; the last are ${releases.toReversed().join(', ')}`);
  }
  expect(await everything()).toEqual(before);

  const back = await host.slipway(['rollback', 'back']);
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(await versions()).toEqual(['2', '2']);
  expect((await rows()).entries[0]).toMatchObject({ kind: 'release', final: true, lineage: { rollbackTo: converged } });
  expect((await ask(host.httpPort, 'back.test')).body).toBe('web 2');
});

interface Inspected {
  readonly HostConfig: { readonly LogConfig: { readonly Config: Record<string, string> } };
  readonly LogPath: string;
}

async function inspect(id: string): Promise<Inspected> {
  const [found] = JSON.parse((await run('docker', ['inspect', id])).stdout) as Inspected[];
  return found as Inspected;
}

/** As the container sees them: cgroup v1 or v2, whichever the machine has. */
async function cgroupLimits(id: string): Promise<{ memoryBytes: number; cpuMillicores: number }> {
  const read = async (path: string) => (await inside(id, 'cat', `/sys/fs/cgroup/${path}`)).toString().trim();
  const unified = await read('cgroup.controllers').catch(() => null);
  const memory = await read(unified === null ? 'memory/memory.limit_in_bytes' : 'memory.max');
  const [quota, period] =
    unified === null
      ? [await read('cpu/cpu.cfs_quota_us'), await read('cpu/cpu.cfs_period_us')]
      : (await read('cpu.max')).split(' ');
  return { memoryBytes: Number(memory), cpuMillicores: (1000 * Number(quota)) / Number(period) };
}
