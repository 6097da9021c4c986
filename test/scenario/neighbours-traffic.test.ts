/** Services beside each other behind one gateway: who answers for what, who cannot, and what a dead gateway changes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureAppImage } from '../lab/app-image.ts';
import { webService } from '../lab/fleet.ts';
import { startProbe } from '../lab/gateway-probe.ts';
import { alive, type Host, type Ran, startHost } from '../lab/host.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask, startProber } from '../lab/probe.ts';
import { gatewayPids } from '../lab/processes.ts';

const run = promisify(execFile);

let host: Host;
let image: string;

beforeAll(async () => {
  image = await ensureAppImage();
  host = await startHost();
  await deployed('shop', shop());
});

afterAll(async () => {
  await host?.destroy();
});

/** A service that answers its version wherever it is asked. */
function app(name: string, hostname: string, path: string, version = name, env: Record<string, string> = {}) {
  const routes = [{ http: { service_port: 'http', hostnames: [hostname], path_prefix: path } }];
  return webService({ hostname, name, image, version, env, more: { routes } });
}

const shop = () => [
  app('web', 'shop.test', '/'),
  app('api', 'shop.test', '/api'),
  app('deep', 'shop.test', '/api/v2/deep'),
];

async function deploy(namespace: string, services: readonly unknown[]): Promise<Ran> {
  return await host.slipway(['deploy', '-f', await host.manifest(namespace, { namespace, services })]);
}

async function deployed(namespace: string, services: readonly unknown[]): Promise<void> {
  const ran = await deploy(namespace, services);
  if (ran.code !== 0) throw new Error(`${namespace} was not deployed: ${ran.stdout}${ran.stderr}`);
}

const answer = async (hostname: string, path: string) => (await ask(host.httpPort, hostname, path)).body;

/** Which containers there are, since when; what the log holds; what clients are answered. */
async function everything() {
  const containers = await readContainers(host);
  const logs = await Promise.all(['shop', 'blog'].map((it) => host.slipway(['releases', it, '--json'])));
  return {
    containers: containers.map((it) => `${it.slot} ${it.id} ${it.startedAt} ${it.state}`).toSorted(),
    entries: logs.map((it) => JSON.parse(it.stdout) as unknown),
    answers: await Promise.all(['/', '/api', '/api/v2/deep'].map((it) => answer('shop.test', it))),
  };
}

it('services that share a hostname answer for different paths, and the longest prefix wins', async () => {
  const paths = {
    '/': 'web',
    '/apish': 'web',
    '/api': 'api',
    '/api/': 'api',
    '/api?x=/deep': 'api',
    '/api/v2': 'api',
    '/api/v2/deeper': 'api',
    '/api/v2/deep': 'deep',
    '/api/v2/deep/er/still': 'deep',
    '/other/api/v2/deep': 'web',
  };
  const asked = Object.keys(paths).map(async (it) => [it, await answer('shop.test', it)]);
  expect(Object.fromEntries(await Promise.all(asked))).toEqual(paths);
});

it('two services of one manifest that claim one hostname and path are refused, and nothing changes', async () => {
  const before = await everything();
  const ran = await deploy('shop', [...shop(), app('twin', 'shop.test', '/api/')]);
  expect(ran.code).toBe(1);
  expect(ran.stdout + ran.stderr).toMatch(
    /shop\.json:\d+:\d+ .*"shop\.test" with path "\/api" is also claimed by service "api"/,
  );
  expect(await everything()).toEqual(before);
});

it('a service that claims hostname and path of another namespace is refused at plan, and nothing changes', async () => {
  const before = await everything();
  const services = [app('blog', 'blog.test', '/'), app('thief', 'shop.test', '/api/')];
  const file = await host.manifest('blog', { namespace: 'blog', services });
  for (const args of [
    ['plan', 'blog', '-f', file],
    ['deploy', '-f', file],
  ]) {
    const ran = await host.slipway([...args, '--json']);
    expect(ran.code, ran.stdout).toBe(1);
    const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
    expect(error).toMatchObject({ code: 'ROUTE_CONFLICT' });
    expect(error.message).toContain('thief: shop.test/api belongs to shop/api');
  }
  expect(await everything()).toEqual(before);
  expect(await answer('blog.test', '/')).toBe(null);
});

it('routes and drained servers survive a gateway that is killed while one drains', async () => {
  const blog = (version: string) => [app('blog', 'blog.test', '/', version, { ON_TERM: 'ignore' })];
  // Long enough that the old one is asked for while it is there still, and gets nothing.
  const patient = (version: string) =>
    blog(version).map((it) => ({ ...it, template: { ...(it['template'] as object), stop_grace_period: '6s' } }));
  await deployed('blog', patient('1'));
  const old = (await readContainers(host)).find((it) => it.slot === 'blog.0');
  const slow = ask(host.httpPort, 'blog.test', '/slow?ms=60000');
  const arrived = async () => (await run('nsenter', ['-t', String(await pidOf(old?.id)), '-n', 'ss', '-Htn'])).stdout;
  await expect.poll(arrived, { timeout: 5_000 }).toContain(':8080');

  const deploying = deploy('blog', patient('2'));
  const blogs = startProbe({ port: host.httpPort, hostname: 'blog.test' });
  try {
    await blogs.settled('2');
    expect(await stateOf(old?.id), 'it drains').toBe('running');
    const pids = await gatewayPids(host);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await expect.poll(() => pids.filter(alive)).toEqual([]);
    expect((await slow).body).toBe(null);
    for (let seen = await blogs.take(); seen.join() !== '2'; seen = await blogs.take())
      expect(seen, 'no new request reaches the one that drains').not.toContain('1');
    expect(await stateOf(old?.id), 'it is there still, and could answer').toBe('running');
    const others = startProber({ port: host.httpPort, host: 'shop.test' });
    while ((await stateOf(old?.id)) === 'running') expect(await blogs.take()).toEqual(['2']);
    await others.stop();
    expect(new Set(others.answers.map((it) => it.body))).toEqual(new Set(['web']));
    expect(await Promise.all(['/', '/api', '/api/v2/deep'].map((it) => answer('shop.test', it)))).toEqual([
      'web',
      'api',
      'deep',
    ]);
    expect(await deploying).toMatchObject({ code: 0 });
    expect(await blogs.take()).toEqual(['2']);
  } finally {
    await blogs.stop();
  }
});

async function inspect(id: string | undefined, format: string): Promise<string> {
  const gone = { stdout: 'gone' };
  return (await run('docker', ['inspect', '--format', format, id ?? '']).catch(() => gone)).stdout.trim();
}
const pidOf = async (id: string | undefined) => Number(await inspect(id, '{{.State.Pid}}'));
const stateOf = async (id: string | undefined) => await inspect(id, '{{.State.Status}}');
