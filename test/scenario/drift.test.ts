/**
 * What somebody does to containers behind our back is healed, and nothing is there twice: asked of docker, HAProxy, nft
 * and the bridge, not of our records.
 */
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { alive, DIST, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readContainers, readInventory } from '../lab/inventory.ts';
import { gatewayPids, pidsOf } from '../lab/processes.ts';

const HEALED_WITHIN_MS = 40_000;
const run = promisify(execFile);
const docker = async (...args: readonly string[]) => (await run('docker', [...args])).stdout.trim();

let host: Host;
let web: GatewayProbe;
let store: GatewayProbe;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  await deploy('1');
  web = startProbe({ port: host.httpPort, hostname: 'shop.test' });
  store = startProbe({ port: host.httpPort, hostname: 'store.test' });
  await Promise.all([web.settled('web 1'), store.settled('web 1')]);
});

afterAll(async () => {
  await Promise.all([web?.stop(), store?.stop()]);
  await host?.destroy();
});

/** Two replicas that start first, and one with a volume that is never there twice. */
async function deploy(version: string): Promise<void> {
  const services = [
    webService({ hostname: 'shop.test', version, more: { placement: { replicated: { count: 2 } } } }),
    {
      ...webService({ hostname: 'store.test', version, name: 'store', env: { DATA: '/data' } }),
      template: {
        image: WEB_IMAGE,
        env: { VERSION: version },
        stop_grace_period: '1s',
        mounts: [{ source: { volume: 'data' }, target: '/data' }],
      },
    },
  ];
  const file = await host.manifest('shop', JSON.parse(manifestText('shop', services, { volumes: [{ name: 'data' }] })));
  const ran = await host.slipway(['deploy', '-f', file]);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
}

async function containerOf(slot: string): Promise<string> {
  const found = (await readContainers(host)).find((it) => it.slot === slot);
  if (found === undefined) throw new Error(`${slot} has no container`);
  return found.id;
}

/** Container names are what people know them by. */
async function names(): Promise<string[]> {
  const filter = `label=slipway.installation=${host.installation.id}`;
  return (await docker('ps', '--filter', filter, '--format', '{{.Names}}')).split('\n').toSorted();
}

/** One container a slot, and gateway, packet filter and bridge know these and no other. */
async function whole(version: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const { containers, addresses, servers, members, links } = await readInventory(host);
        const same = (list: readonly string[]) => JSON.stringify(list) === JSON.stringify(addresses);
        return { containers, gateway: same(servers), filter: same(members), links };
      },
      { timeout: HEALED_WITHIN_MS, interval: 200 },
    )
    .toEqual({
      containers: [`store.0 ${version} running`, `web.0 ${version} running`, `web.1 ${version} running`],
      gateway: true,
      filter: true,
      links: 3,
    });
  await Promise.all([web.settled(`web ${version}`), store.settled(`web ${version}`)]);
}

const MEDDLING: Record<string, (id: string) => Promise<unknown>> = {
  stopped: (id) => docker('stop', '--time', '1', id),
  killed: (id) => docker('kill', id),
  'ended from within': async (id) =>
    process.kill(Number(await docker('inspect', '--format', '{{.State.Pid}}', id)), 'SIGKILL'),
  removed: (id) => docker('rm', '--force', id),
  paused: (id) => docker('pause', id),
  renamed: (id) => docker('rename', id, `somebody-else-${id.slice(0, 8)}`),
};

it.each(Object.keys(MEDDLING))('a container that is %s is healed', async (what) => {
  const before = await names();
  await Promise.all([containerOf('web.0'), containerOf('store.0')].map(async (id) => MEDDLING[what]?.(await id)));
  await whole('1');
  await expect.poll(names, { timeout: HEALED_WITHIN_MS }).toEqual(before);
});

it('tells what it healed', async () => {
  const { stdout } = await host.slipway(['events', '--json', '--limit', '200']);
  const events = (JSON.parse(stdout) as { data: { kind: string; namespace: string; message: string }[] }).data;
  const healed = events.filter((it) => it.kind === 'drift.healed' && it.namespace === 'shop').map((it) => it.message);
  expect(healed).toEqual(
    expect.arrayContaining([
      'web.0: it had ended with exit code 137; it was started',
      'web.0: its container was missing; it was made again',
      'web.0: it was paused; it goes on',
      expect.stringMatching(/^web\.0: its container was renamed to somebody-else-\w+; it has its name again$/),
    ]),
  );
});

it('heals when all containers end at once, and a volume never has two writers', async () => {
  const ids = (await readContainers(host)).map((it) => it.id);
  await docker('kill', ...ids);
  await whole('1');
  expect(await docker('exec', await containerOf('store.0'), '/bin/sh', '-c', 'ls /data')).not.toContain('violations');
});

it('after a reboot with NATS down: heals from its disk and serves; when NATS is back nothing is doubled', async () => {
  await reboot();
  const log: string[] = [];
  const agent = spawn(process.execPath, [join(DIST, 'agent/main.js'), '--state-dir', host.stateDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLIPWAY_STATE_DIR: host.stateDir },
  });
  agent.stdout.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  try {
    await whole('1');
    expect(log.join('')).toContain('NATS is away; serving and healing from the journal');
    const healed = (await readContainers(host)).map((it) => it.id).toSorted();

    const up = await host.slipway(['up', '--detach']);
    expect(up.code, up.stderr).toBe(0);
    await expect.poll(() => log.join(''), { timeout: 20_000 }).toContain('"connected to NATS"');
    expect(await host.agentPid(), 'the agent that runs is adopted').toBe(agent.pid);
    await whole('1');
    expect((await readContainers(host)).map((it) => it.id).toSorted()).toEqual(healed);
    await deploy('2');
    await whole('2');
  } finally {
    agent.kill('SIGKILL');
  }
});

/** Everything that a reboot ends; one container is lost altogether. */
async function reboot(): Promise<void> {
  const lost = await containerOf('web.0');
  const others = (await readContainers(host)).map((it) => it.id).filter((id) => id !== lost);
  const pids = [
    await host.agentPid(),
    Number(await readFile(join(host.stateDir, 'nats/nats.pid'), 'utf8')),
    ...(await gatewayPids(host)),
    ...(await pidsOf('node', join(host.stateDir, 'dns'))),
  ];
  expect(pids.length).toBeGreaterThanOrEqual(5);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect.poll(() => pids.filter(alive)).toEqual([]);
  await docker('rm', '--force', lost);
  await docker('kill', ...others);
  for (const family of ['bridge', 'ip'])
    await run('nft', ['delete', 'table', family, `slipway_${host.installation.id}`]);
  await web.take();
  expect(await web.take()).toEqual([expect.stringMatching(/failed/)]);
}
