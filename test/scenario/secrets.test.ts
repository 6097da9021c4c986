/**
 * Secrets on the real system: they reach containers and nothing else. What is planted here is looked for in everything
 * that Slipway writes, prints and keeps, in every form that programs make of it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formsOf } from '../../trust/redact.ts';
import { type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask, startProber } from '../lab/probe.ts';
import { openStore } from '../lab/store.ts';

const run = promisify(execFile);
const docker = async (...args: readonly string[]) => (await run('docker', [...args])).stdout;

/** Random, with characters that quoting and encodings change. */
const PLANTED = `pl4nted/+"${randomBytes(9).toString('base64')}' é$(id)`;
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i));

let host: Host;
const printed: Ran[] = [];

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
});
afterAll(async () => await host?.destroy());

/** Everything that a command prints is looked through at the end. */
async function slipway(args: readonly string[], input?: string | Buffer): Promise<Ran> {
  const ran = await host.slipway(args, {}, input);
  printed.push(ran);
  return ran;
}

const web = (env: Record<string, string>) => ({
  name: 'web',
  template: {
    image: WEB_IMAGE,
    env,
    mounts: [{ source: { secret: 'bytes.bin' }, target: '/run/secrets/bytes' }],
    stop_grace_period: '1s',
  },
  service_ports: [{ name: 'http', container_port: 8080 }],
  routes: [{ http: { service_port: 'http', hostnames: ['localhost'], path_prefix: '/' } }],
  readiness: { http: { service_port: 'http', path: '/healthz' }, interval: '1s' },
});
const leaky = {
  name: 'leaky',
  template: {
    image: WEB_IMAGE,
    env: { LEAK: '{{secret:greeting}}' },
    entrypoint: ['/bin/sh', '-c'],
    command: [
      'echo "raw $LEAK"; printf "%s" "$LEAK" | base64 -w0; echo; printf "user:%s" "$LEAK" | base64 -w0; echo; printf "%s" "$LEAK" | xxd -p -c 200 >&2; exit 3',
    ],
  },
};

async function deploy(...services: readonly object[]): Promise<Ran> {
  const file = await host.manifest('shop', { namespace: 'shop', services });
  return await slipway(['deploy', '-f', file]);
}

async function container(): Promise<string> {
  const found = (await readContainers(host)).find((it) => it.slot === 'web.0');
  if (found === undefined) throw new Error('web has no container');
  return found.id;
}

it('a plan that names secrets which are not set fails by name, and nothing is touched', async () => {
  const ran = await deploy(web({ VERSION: '{{secret:greeting}}' }));

  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('web: secret bytes.bin is not set');
  expect(ran.stderr).toContain('web: secret greeting is not set: `slipway secret set shop/greeting`');
  expect(await readContainers(host)).toEqual([]);
});

it('an empty value, a bad name and a missing file are refused', async () => {
  expect((await slipway(['secret', 'set', 'shop/greeting'], '')).code).toBe(64);
  expect((await slipway(['secret', 'set', 'shop/../x'], 'v')).code).toBe(64);
  expect((await slipway(['secret', 'set', 'shop/x', '--from-file', '/nowhere'], 'v')).code).toBe(64);
  expect((await slipway(['secret', 'rotate', 'shop/x'])).stderr).toContain('shop has no secret x');
});

it('a container gets values in its environment and files with exact bytes, on memory', async () => {
  const file = join(host.dir, 'bytes');
  await writeFile(file, BYTES);
  expect((await slipway(['secret', 'set', 'shop/greeting'], PLANTED)).code).toBe(0);
  expect((await slipway(['secret', 'set', 'shop/bytes.bin', '--from-file', file])).code).toBe(0);
  const ran = await deploy(web({ VERSION: 'hello', KEY: 'a {{secret:greeting}} b' }));
  expect(ran.code, ran.stderr).toBe(0);

  const id = await container();
  expect(await docker('exec', id, 'sh', '-c', 'printf %s "$KEY"')).toBe(`a ${PLANTED} b`);
  const seen = await run('docker', ['exec', id, 'cat', '/run/secrets/bytes'], { encoding: 'buffer' });
  expect(seen.stdout.equals(BYTES)).toBe(true);
  expect(await docker('exec', id, 'sh', '-c', 'stat -f -c %T /run/secrets/bytes')).toBe('tmpfs\n');
  await expect(docker('exec', id, 'sh', '-c', 'echo x > /run/secrets/bytes')).rejects.toThrow(/[Rr]ead-only/);
});

it('bytes that are no text cannot stand in an environment, and a command line is no place at all', async () => {
  expect((await deploy(web({ KEY: '{{secret:bytes.bin}}' }))).stderr).toContain('bytes.bin is not text');
  const onTheLine = { ...web({}), template: { ...web({}).template, command: ['{{ secret:greeting }}'] } };
  expect((await deploy(onTheLine)).stderr).toMatch(/command\[0\]: .*process|secrets are filled in env only/);
});

it('a new version rolls the services that use it, without a failed request; the same value again does nothing', async () => {
  await slipway(['secret', 'set', 'shop/word'], 'one');
  expect((await deploy(web({ VERSION: '{{secret:word}}', KEY: '{{secret:greeting}}' }))).code).toBe(0);
  expect((await ask(host.httpPort)).body).toBe('web one');
  const user = startProber({ port: host.httpPort });
  const before = await container();

  const again = await slipway(['secret', 'set', 'shop/word', '--json'], 'one');
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, data: { version: 1, changed: false } });
  expect(await container()).toBe(before);
  const rolled = await slipway(['secret', 'set', 'shop/word', '--json'], 'two');
  expect(JSON.parse(rolled.stdout)).toMatchObject({ ok: true, data: { version: 2, deploy: { state: 'done' } } });
  expect((await ask(host.httpPort)).body).toBe('web two');
  expect((await slipway(['secret', 'rotate', 'shop/word'])).code).toBe(0);
  expect((await ask(host.httpPort)).body).toMatch(/^web [\w-]{43}$/);
  await user.stop();
  expect(user.answers.filter((it) => it.body === null)).toEqual([]);

  expect((await slipway(['secret', 'ls', 'shop'])).stdout).toMatch(/shop\/word +3 .*web \(3\)/);
});

it('deploy service names a secret, and leaves the versions of the other services alone', async () => {
  await slipway(['secret', 'set', 'shop/late', '--no-deploy'], 'first');
  const more = await slipway(['deploy', 'service', 'web', '--namespace', 'shop', '-e', 'MORE=<{{secret:late}}>']);
  expect(more.code, more.stderr).toBe(0);
  expect(await docker('exec', await container(), 'sh', '-c', 'printf %s "$MORE"')).toBe('<first>');

  await slipway(['secret', 'set', 'shop/late', '--no-deploy'], 'second');
  const worker = [
    'deploy',
    'service',
    'worker',
    '--namespace',
    'shop',
    '--image',
    WEB_IMAGE,
    '-e',
    'W={{secret:late}}',
  ];
  expect((await slipway(worker)).code).toBe(0);
  expect(await docker('exec', await container(), 'sh', '-c', 'printf %s "$MORE"')).toBe('<first>');
  const list = (await slipway(['secret', 'ls', 'shop'])).stdout;
  expect(list).toMatch(/shop\/late +2 .*web \(1\), worker \(2\)/);
});

it('a job of a new version sees the secret as it is now, while the old version serves with the one before', async () => {
  await slipway(['secret', 'set', 'shop/word', '--no-deploy'], 'newest');
  const job = {
    name: 'migrate',
    job: true,
    template: {
      image: WEB_IMAGE,
      env: { W: '{{secret:word}}' },
      entrypoint: ['/bin/sh', '-c'],
      command: ['[ "$W" = newest ] && [ "$(cat /run/word)" = newest ]'],
      mounts: [{ source: { secret: 'word' }, target: '/run/word' }],
    },
  };
  const ran = await deploy(web({ VERSION: '{{secret:word}}', KEY: '{{secret:greeting}}' }), job);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect((await ask(host.httpPort)).body).toBe('web newest');
});

it('a secret in use is not removed; one that is not in use is, and its versions are not given again', async () => {
  const refused = await slipway(['secret', 'rm', 'shop/word']);
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('shop/word is used by web')]);

  await slipway(['secret', 'set', 'shop/unused'], 'first');
  expect((await slipway(['secret', 'rm', 'shop/unused'])).code).toBe(0);
  expect((await slipway(['secret', 'ls', 'shop'])).stdout).not.toContain('unused');
  expect((await slipway(['secret', 'set', 'shop/unused'], 'second')).stdout).toContain('version 2');
});

it('after the memory is gone, as after a reboot, the agent alone writes the files again', async () => {
  const id = await container();
  await docker('kill', id);
  await run('umount', [join(host.stateDir, 'secret-files')]);
  await host.restartAgent();
  for (let i = 0; i < 200 && (await ask(host.httpPort)).body === null; i++)
    await new Promise((r) => setTimeout(r, 100));

  const seen = await run('docker', ['exec', await container(), 'cat', '/run/secrets/bytes'], { encoding: 'buffer' });
  expect(seen.stdout.equals(BYTES)).toBe(true);
});

it('a container that tells its secret before it dies tells it to nobody', async () => {
  const ran = await deploy(web({ VERSION: '{{secret:word}}', KEY: '{{secret:greeting}}' }), leaky);

  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('raw [secret greeting]');
  expect(ran.stdout.match(/\[secret greeting\]/g)?.length).toBeGreaterThanOrEqual(4);
});

it('a rollback goes past releases that differ in versions of secrets alone', async () => {
  await slipway(['secret', 'rotate', 'shop/word']);
  const list = await slipway(['releases', 'shop', '--json']);
  const { live } = (JSON.parse(list.stdout) as { data: { live: number } }).data;
  const back = await slipway(['rollback', 'shop', '--dry-run', '--json']);
  const plan = JSON.parse(back.stdout) as { data: { rollbackTo: number; changes: { kind: string }[] } };
  expect(plan.data.rollbackTo).toBeLessThan(live - 1);
  expect(plan.data.changes.some((it) => it.kind !== 'unchanged')).toBe(true);
});

it('a planted secret turns up nowhere, in no form', async () => {
  for (const args of [
    ['status', '--json'],
    ['releases', 'shop', '--json'],
    ['deploys', 'shop', '--json'],
    ['events', '--json', '--limit', '1000'],
    ['secret', 'ls', '--json'],
    ['logs', 'shop/web', '--json'],
    ['rollback', 'shop', '--dry-run', '--json'],
  ])
    await slipway(args);
  const file = await host.manifest('shop', { namespace: 'shop', services: [web({ KEY: 'x{{secret:greeting}}' })] });
  for (const form of [[], ['--json'], ['--markdown']]) await slipway(['plan', 'shop', '-f', file, ...form]);

  const places = {
    'what commands printed': printed.map((it) => it.stdout + it.stderr).join('\n'),
    'files of the installation': await filesUnder(host.stateDir),
    'every message of the state': await stateText(),
    'process lists': await processLists(),
    'Docker, as another user': await asNobody(['docker', 'inspect', await container()]),
  };
  for (const [place, text] of Object.entries(places)) {
    expect(text.length, place).toBeGreaterThan(20);
    for (const form of formsOf(Buffer.from(PLANTED))) expect(text.includes(form), `${form} in ${place}`).toBe(false);
  }
  // The search can find: Docker's own record has it, and only root reads that.
  expect(await docker('inspect', await container())).toContain(JSON.stringify(PLANTED).slice(1, 12));
});

/** All that lies below the folder, as text; compressed blocks are covered by `stateText`. The tmpfs is what containers see. */
async function filesUnder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((it) => it.isFile() && !it.parentPath.includes('secret-files'));
  const texts = await Promise.all(files.map((it) => readFile(join(it.parentPath, it.name), 'latin1')));
  return texts.map((it) => Buffer.from(it, 'latin1').toString('utf8')).join('\n');
}

/** Everything that the store gives to somebody who may read all of it. */
async function stateText(): Promise<string> {
  const store = await openStore(host);
  try {
    const buckets = [
      'cluster',
      'deploys',
      'machines',
      'namespaces',
      'secrets',
      'intents',
      'cursors',
      'heads',
      'observed',
    ];
    const records = await Promise.all(buckets.map((it) => store.bucket(it as 'secrets').list()));
    const entries = await store.log.entries('shop');
    const digests = entries.flatMap((it) => (it.kind === 'release' ? Object.values(it.services) : []));
    const specs = await Promise.all(digests.map((it) => store.specs.get(it)));
    return unzipped(JSON.stringify([records, entries, specs, await store.events.list(1000)]));
  } finally {
    await store.close();
  }
}

function unzipped(text: string): string {
  return text.replaceAll(/H4sI[A-Za-z0-9+/=]+/g, (it) => gunzipSync(Buffer.from(it, 'base64')).toString());
}

async function processLists(): Promise<string> {
  const { stdout } = await run('ps', ['-eo', 'pid,user,args', '-ww']);
  const environments = await Promise.all(
    (await readdir('/proc'))
      .filter((it) => /^\d+$/.test(it))
      .map(async (pid) => await asNobody(['cat', `/proc/${pid}/environ`]).catch(() => '')),
  );
  return stdout + environments.join('\n');
}

/** What the command says, well or not. */
async function asNobody(argv: readonly string[]): Promise<string> {
  const ran = run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', '--', ...argv]);
  return await ran.then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
}
