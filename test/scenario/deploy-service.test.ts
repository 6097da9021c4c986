/** `slipway deploy service`, `stop` and `start`: one service of what is live is changed by hand, safe to run again. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { ask, startProber } from '../lab/probe.ts';

const run = promisify(execFile);
const docker = async (...args: readonly string[]) => (await run('docker', [...args])).stdout.trim();

/** A tag that moves: `slipway-test-moving-PID:1`. */
const MOVING = `slipway-test-moving-${process.pid}:1`;
const SAME = `slipway-test-moving-${process.pid}:same`;

let host: Host;
let folder: string;
let repo: GitRepo;

beforeAll(async () => {
  await ensureWebImage();
  folder = await mkdtemp(join(tmpdir(), 'slipway-service-'));
  repo = await createGitRepo({ dir: join(folder, 'fleet') });
  await commit('1');
  host = await startHost({ upArgs: ['--repo', repo.path] });
});

afterAll(async () => {
  await host?.destroy();
  await docker('image', 'rm', '--force', MOVING, SAME).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

async function commit(version: string): Promise<void> {
  const text = manifestText('site', [webService({ hostname: 'site.test', version })]);
  await repo.commit({ 'namespaces/site.json': text }, `version ${version}`);
}

/** The tag means an image that answers `web <version>` from now on. */
async function moveTag(tag: string, version: string): Promise<void> {
  await writeFile(join(folder, 'Dockerfile'), `FROM ${WEB_IMAGE}\nENV VERSION=${version}\n`);
  await docker('build', '--quiet', '--network', 'none', '--tag', tag, '--file', join(folder, 'Dockerfile'), folder);
}

const service = (...args: readonly string[]) => host.slipway(['deploy', 'service', ...args]);

/** The result of a command that went well. */
function resultOf(ran: Ran): Record<string, unknown> {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return (JSON.parse(ran.stdout) as { data: Record<string, unknown> }).data;
}

async function idsOf(namespace: string): Promise<Record<string, string>> {
  const filter = [`label=slipway.installation=${host.installation.id}`, `label=slipway.namespace=${namespace}`];
  const format = '{{.Label "slipway.slot"}} {{.ID}}';
  const text = await docker(
    'ps',
    '--all',
    '--no-trunc',
    ...filter.flatMap((it) => ['--filter', it]),
    '--format',
    format,
  );
  return Object.fromEntries(text.split('\n').flatMap((it) => (it === '' ? [] : [it.split(' ') as [string, string]])));
}

interface Status {
  readonly namespaces: readonly { namespace: string; record: { held: { why: string } | null } }[];
}

async function holdOf(namespace: string): Promise<{ why: string } | null> {
  const { namespaces } = resultOf(await host.slipway(['status', '--json'])) as unknown as Status;
  return namespaces.find((it) => it.namespace === namespace)?.record.held ?? null;
}

async function tipOf(namespace: string): Promise<number> {
  const { entries } = resultOf(await host.slipway(['releases', namespace, '--json'])) as { entries: { n: number }[] };
  return entries[0]?.n ?? 0;
}

async function answers(hostname: string, body: string): Promise<void> {
  await expect.poll(async () => (await ask(host.httpPort, hostname)).body, { timeout: 15_000 }).toBe(body);
}

describe('a service of a namespace that is made for it', () => {
  it('is created with its hostname, and the namespace is held with who and why', async () => {
    const args = ['web', '--namespace', 'shop', '--image', WEB_IMAGE, '--host', 'shop.test', '--port', '8080'];
    const made = resultOf(await service(...args, '-e', 'VERSION=1', '-m', 'first try', '--json'));
    expect(made).toMatchObject({ namespace: 'shop', service: 'web', state: 'done', deploy: { state: 'done' } });
    await answers('shop.test', 'web 1');
    expect(await holdOf('shop')).toMatchObject({ why: 'first try' });
  });

  it('is left alone when it is what is asked for: nothing is started, released or held again', async () => {
    const before = { ids: await idsOf('shop'), tip: await tipOf('shop'), held: await holdOf('shop') };
    await docker('tag', WEB_IMAGE, SAME);
    for (const image of [WEB_IMAGE, SAME]) {
      const again = await service('web', '--namespace', 'shop', '--image', image, '-e', 'VERSION=1', '--pull');
      expect(again, again.stderr).toMatchObject({ code: 0, stdout: 'shop/web: unchanged, release #1 is live\n' });
    }
    const json = resultOf(await service('--host', 'shop.test', '--image', WEB_IMAGE, '--json', '--detailed-exitcode'));
    expect(json).toMatchObject({ namespace: 'shop', service: 'web', state: 'unchanged', deploy: null });
    expect({ ids: await idsOf('shop'), tip: await tipOf('shop'), held: await holdOf('shop') }).toEqual(before);
  });

  it('is replaced alone and without a failed request, while another keeps what it runs whatever its tag means', async () => {
    await moveTag(MOVING, 'old');
    const api = ['api', '--namespace', 'shop', '--image', MOVING, '-p', `${await freePort()}:8080`, '-v', 'data:/data'];
    resultOf(await service(...api, '--json'));
    await moveTag(MOVING, 'new');
    const before = await idsOf('shop');
    const user = startProber({ port: host.httpPort, host: 'shop.test' });
    const changed = await service('--host', 'shop.test', '-e', 'VERSION=2', '--detailed-exitcode');
    expect(changed.code, changed.stdout + changed.stderr).toBe(2);
    await answers('shop.test', 'web 2');
    await user.stop();
    expect(user.answers.filter((it) => it.body === null)).toEqual([]);
    const after = await idsOf('shop');
    expect(after['web.0']).not.toBe(before['web.0']);
    expect(after['api.0']).toBe(before['api.0']);
  });

  it('runs the new image of the same tag only with --pull, and keeps its data', async () => {
    resultOf(await service('shop/api', '--host', 'api.test', '--json'));
    await answers('api.test', 'web old');
    await docker('exec', (await idsOf('shop'))['api.0'] ?? '', '/bin/sh', '-c', 'echo precious > /data/kept');
    expect(resultOf(await service('api', '--image', MOVING, '--json'))).toMatchObject({ state: 'unchanged' });
    expect(resultOf(await service('api', '--image', MOVING, '--pull', '--json'))).toMatchObject({ state: 'done' });
    await answers('api.test', 'web new');
    expect(await docker('exec', (await idsOf('shop'))['api.0'] ?? '', 'cat', '/data/kept')).toBe('precious');
  });

  it('gets no hostname that another service has, and nothing changes', async () => {
    const before = { ids: await idsOf('shop'), tip: await tipOf('shop'), held: await holdOf('shop') };
    const args = ['--host', 'shop.test', '--port', '8080', '--json'];
    for (const it of [
      ['api', '--namespace', 'shop'],
      ['thief', '--namespace', 'other', '--image', WEB_IMAGE],
    ]) {
      const refused = await service(...it, ...args);
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, error: { code: 'ROUTE_CONFLICT' } });
    }
    expect({ ids: await idsOf('shop'), tip: await tipOf('shop'), held: await holdOf('shop') }).toEqual(before);
    expect(await idsOf('other')).toEqual({});
    expect(await holdOf('other')).toBeNull();
  });

  it('does not stand in the way of another pipeline that deploys its neighbour at the same moment', async () => {
    const both = await Promise.all(
      ['web', 'api'].map((name) => service(name, '--namespace', 'shop', '-e', 'ROUND=2', '-m', 'a pipeline')),
    );
    for (const it of both) expect(it.code, it.stdout + it.stderr).toBe(0);
    const live = async (name: string) =>
      await docker('inspect', '--format', '{{.Config.Env}}', (await idsOf('shop'))[`${name}.0`] ?? '');
    expect(await Promise.all(['web', 'api'].map(live))).toEqual(
      ['web', 'api'].map(() => expect.stringContaining('ROUND=2')),
    );
    expect(await holdOf('shop')).toMatchObject({ why: 'a pipeline' });
  });

  it('mounts a path of the machine only when somebody says so', async () => {
    const mount = ['api', '-v', `${folder}:/host:ro`, '-n'];
    const refused = await service(...mount);
    expect(refused).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/-v: .*may not mount paths.*bind_mounts/),
    });
    expect((await service(...mount, '--allow-bind')).code).toBe(0);
  });
});

describe('a deploy that fails', () => {
  it('takes along all that it made when it was the first: container, volume, hostname and hold', async () => {
    const args = ['--namespace', 'fresh', '--image', WEB_IMAGE, '--host', 'fresh.test', '--port', '8080'];
    const failed = await service('db', ...args, '-v', 'db:/data', '-e', 'EXIT_AT_ONCE=1');
    expect(failed.code, failed.stdout + failed.stderr).toBe(1);
    expect(failed.stdout).toContain('giving up on purpose');
    expect(await idsOf('fresh')).toEqual({});
    expect(existsSync(join(host.stateDir, 'volumes/fresh'))).toBe(false);
    expect(existsSync(join(host.stateDir, 'volumes/.volumes/fresh/db.json'))).toBe(false);
    expect(await holdOf('fresh')).toBeNull();
    const web = ['web', '--namespace', 'fresh', '--image', WEB_IMAGE, '--host', 'fresh.test', '--port', '8080'];
    expect(resultOf(await service(...web, '-e', 'VERSION=1', '--json'))).toMatchObject({ state: 'done' });
    await answers('fresh.test', 'web 1');
  });

  it('touches no data when it was a later one: the old version serves, and its hold is the one from before', async () => {
    const held = await holdOf('shop');
    const failed = await service('api', '-e', 'EXIT_AT_ONCE=1', '-v', 'more:/more', '-m', 'will fail');
    expect(failed.code, failed.stdout + failed.stderr).toBe(1);
    await answers('api.test', 'web new');
    expect(await docker('exec', (await idsOf('shop'))['api.0'] ?? '', 'cat', '/data/kept')).toBe('precious');
    expect(existsSync(join(host.stateDir, 'volumes/shop/more'))).toBe(false);
    expect(await holdOf('shop')).toEqual(held);
  });
});

describe('a service that is stopped', () => {
  it('answers 404, keeps its hostname and its data, and starts again with as many replicas as it had', async () => {
    const { code, stdout, stderr } = await host.slipway(['stop', 'shop/api']);
    expect(code, stdout + stderr).toBe(0);
    await expect.poll(async () => (await ask(host.httpPort, 'api.test')).why).toBe('status 404');
    expect(Object.keys(await idsOf('shop'))).toEqual(['web.0']);
    expect((await host.slipway(['stop', 'shop/api'])).stdout).toMatch(/^shop\/api: unchanged/);
    const thief = ['thief', '--namespace', 'other', '--image', WEB_IMAGE, '--host', 'api.test', '--port', '8080'];
    expect((await service(...thief)).stderr).toMatch(/ROUTE_CONFLICT.*api\.test\/ belongs to shop\/api/);
    expect(resultOf(await host.slipway(['start', 'shop/api', '--json']))).toMatchObject({ state: 'done' });
    await answers('api.test', 'web new');
    expect(await docker('exec', (await idsOf('shop'))['api.0'] ?? '', 'cat', '/data/kept')).toBe('precious');
  });

  it('says what there is when there is no such service', async () => {
    expect(await host.slipway(['stop', 'shop/wbe'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('UNKNOWN_SERVICE: shop has no service wbe; it has api, web'),
    });
  });
});

describe('a namespace that git manages', () => {
  let up: ReturnType<Host['start']>;
  beforeAll(async () => {
    up = host.start(['up', '--hook-port', String(await freePort())]);
  });
  afterAll(async () => {
    up?.child.kill('SIGTERM');
    await up?.ended;
  });

  it('is held: the loop keeps its hands off, and resume shows what git would change before it does', async () => {
    await answers('site.test', 'web 1');
    expect((await service('web', '--namespace', 'site', '-e', 'VERSION=by-hand', '-m', 'on fire')).code).toBe(0);
    await answers('site.test', 'web by-hand');
    await sleep(1_500);
    await answers('site.test', 'web by-hand');
    expect((await host.slipway(['status'])).stdout).toMatch(/site.*on fire/s);
    const shown = await host.slipway(['resume', 'site', '-n']);
    expect(shown.stdout).toMatch(/was held by .*: on fire\. Git would now change:[\s\S]*VERSION[\s\S]*by-hand/);
    await answers('site.test', 'web by-hand');
    expect((await host.slipway(['resume', 'site'])).code).toBe(0);
    await answers('site.test', 'web 1');
  });
});
