/** `slipway doctor` on an installation whose parts are taken away one by one: it names each, and what it says to do helps. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { createGitRepo } from '../lab/git-repo.ts';
import { alive, freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { gatewayPids, pidsOf } from '../lab/processes.ts';

interface Found {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
  readonly next: string | null;
}

let host: Host;
let tcpPort: number;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  tcpPort = await freePort();
  const service = webService({ hostname: 'shop.test' });
  const routes = [...(service['routes'] as unknown[]), { tcp: { service_port: 'http', listen_port: tcpPort } }];
  const repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
  await repo.commit({ 'namespaces/shop.json': manifestText('shop', [{ ...service, routes }]) });
  const up = await host.slipway(['up', '--detach', '--repo', repo.path]);
  const deploy = await host.slipway(['deploy', 'shop']);
  if (up.code !== 0 || deploy.code !== 0) throw new Error(up.stderr + deploy.stdout + deploy.stderr);
});

afterAll(async () => await host?.destroy());

async function examine(args: readonly string[] = [], env: Record<string, string> = {}) {
  const ran = await host.slipway([...args, 'doctor', '--json'], env);
  const { data } = JSON.parse(ran.stdout) as { data: { installation: string | null; checks: Found[] } };
  const failed = data.checks.filter((it) => it.state === 'fail');
  return { code: ran.code, installation: data.installation, checks: data.checks, failed };
}

async function end(pids: readonly number[]): Promise<void> {
  expect(pids).not.toEqual([]);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  while (pids.some(alive)) await sleep(10);
}

it('finds nothing wrong with an installation that works, and looked at every part of it', async () => {
  const { code, installation, failed, checks } = await examine();
  expect({ code, installation, failed }).toEqual({ code: 0, installation: host.installation.id, failed: [] });
  const good = checks.filter((it) => it.state === 'ok').map((it) => it.name);
  const parts = ['keys', 'nats', 'clock', 'agent', 'agent report', 'gateway', 'resolver', 'bridge', 'packet filter'];
  const ports = [`port ${host.httpPort}`, `port ${tcpPort}`];
  expect(good).toEqual(expect.arrayContaining(['node', 'docker', 'haproxy', ...parts, ...ports, 'source', 'problems']));
  expect(checks.find((it) => it.name === 'controller')).toMatchObject({ state: 'info' });
  const text = await host.slipway(['doctor']);
  expect(text.stdout).toMatch(/^ok {4}agent report +last report \d+ s ago, version /m);
});

it('says which key others can read, and how to close it', async () => {
  const key = join(host.stateDir, 'keys/operator.pem');
  await chmod(key, 0o644);
  const { code, failed } = await examine();
  await chmod(key, 0o600);
  expect(code).toBe(1);
  expect(failed).toEqual([
    {
      name: 'keys',
      state: 'fail',
      detail: `${key} has mode 0644: others can read it`,
      next: expect.stringContaining(`chmod 600 ${key}`),
    },
  ]);
});

it('says that a key is missing, and makes no other in its place', async () => {
  const key = join(host.stateDir, 'keys/operator.pem');
  await rename(key, `${key}.away`);
  const { failed } = await examine();
  const made = existsSync(key);
  await rename(`${key}.away`, key);
  expect(made).toBe(false);
  expect(failed).toMatchObject([{ name: 'keys', detail: expect.stringContaining(`${key} is missing`) }]);
});

it('only looks at the machine where there is no installation', async () => {
  const { code, installation, checks } = await examine(['--state-dir', join(host.dir, 'nowhere')]);
  expect([code, installation]).toEqual([0, null]);
  expect(checks.map((it) => it.name)).toEqual(expect.arrayContaining(['node', 'nats-server', 'docker', 'disk']));
  expect(checks.map((it) => it.name)).not.toContain('agent');
});

it('says that the record of the installation is broken, instead of that there is none', async () => {
  const broken = join(host.dir, 'broken');
  await mkdir(broken);
  await writeFile(join(broken, 'installation.json'), '{');
  const { code, installation, failed } = await examine(['--state-dir', broken]);
  expect([code, installation]).toEqual([1, null]);
  expect(failed).toMatchObject([{ name: 'installation', next: expect.stringContaining('backup') }]);
});

it('does not wait for a Docker that accepts connections and never answers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-hung-'));
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 'sock'), resolve));
  try {
    const begun = performance.now();
    const nowhere = ['--state-dir', join(host.dir, 'nowhere')];
    const { code, failed } = await examine(nowhere, { DOCKER_HOST: `unix://${folder}/sock` });
    expect(code).toBe(1);
    expect(failed).toMatchObject([{ name: 'docker', detail: expect.stringContaining('no answer in 5 s') }]);
    expect(performance.now() - begun).toBeLessThan(12_000);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it('names every part that is down, and what it says to do brings all of them back', async () => {
  await end([await host.agentPid()]);
  await end(await gatewayPids(host));
  await end(await pidsOf('nats-server', host.stateDir));
  const squatter = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => squatter.listen(host.httpPort, '0.0.0.0', resolve));

  const { code, failed, checks } = await examine();
  expect(code).toBe(1);
  expect(Object.fromEntries(failed.map((it) => [it.name, it.next]))).toEqual({
    nats: expect.stringContaining('`slipway up --detach`'),
    agent: expect.stringContaining('`slipway up --detach`'),
    gateway: expect.stringContaining('`slipway up --detach`'),
    [`port ${host.httpPort}`]: expect.stringContaining(`\`ps -fp ${process.pid}\``),
    [`port ${tcpPort}`]: expect.stringContaining('`slipway up --detach`'),
  });
  const skipped = checks.filter((it) => it.state === 'skip').map((it) => it.name);
  expect(skipped).toEqual(expect.arrayContaining(['clock', 'agent report', 'controller', 'source', 'problems']));

  await new Promise((resolve) => squatter.close(resolve));
  expect((await host.slipway(['up', '--detach'])).code).toBe(0);
  await expect.poll(async () => (await examine()).failed, { timeout: 20_000, interval: 200 }).toEqual([]);
});
