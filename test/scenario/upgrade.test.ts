/** What must outlive a new build, and a lost disk: workloads, history, keys. One installation, in order. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { alive, type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { startNats } from '../lab/nats.ts';
import { ask, startProber } from '../lab/probe.ts';
import { gatewayPids, pidsOf } from '../lab/processes.ts';
import { createSecondBuild, type SecondBuild } from '../lab/second-build.ts';
import { openStore } from '../lab/store.ts';

const run = promisify(execFile);

let host: Host;
let second: SecondBuild;
let file: string;
/** Where the volumes are kept while everything is lost. */
let saved: string;

beforeAll(async () => {
  await ensureWebImage();
  second = await createSecondBuild();
  host = await startHost();
  file = join(host.dir, 'slipway.backup');
  saved = join(host.dir, 'saved-volumes');
  const stored = { template: undefined, strategy: { recreate: {} } };
  succeeded(await host.slipway(['secret', 'set', 'shop/version'], {}, '1'));
  const web = webService({ hostname: 'web.test', version: '{{secret:version}}' });
  const db = webService({ hostname: 'db.test', name: 'db' });
  const { template } = db as { template: object };
  const mounts = [{ source: { volume: 'data' }, target: '/data' }];
  await deploy('shop', [web, { ...db, ...stored, template: { ...template, mounts } }], { volumes: [{ name: 'data' }] });
});

afterAll(async () => {
  await host?.destroy();
  await second?.remove();
});

async function deploy(namespace: string, services: readonly unknown[], more: Record<string, unknown> = {}) {
  const path = join(host.dir, `${namespace}.json`);
  await writeFile(path, manifestText(namespace, services, more));
  succeeded(await host.slipway(['deploy', '-f', path]));
}

function succeeded(ran: Ran): Ran {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran;
}

/** Containers with the moment in which each was started: a restart shows, a replacement too. */
async function workloads(): Promise<string[]> {
  const ids = (await readContainers(host)).map((it) => it.id);
  const { stdout } = await run('docker', ['inspect', '--format', '{{.Id}} {{.State.StartedAt}}', '--', ...ids]);
  return stdout.trim().split('\n').toSorted();
}

const recordIn = async (path: string) =>
  JSON.parse(await readFile(join(host.stateDir, path), 'utf8')) as { pid: number; build?: string };
const natsPids = async () => await pidsOf('nats-server', join(host.stateDir, 'nats'));

async function eventually(check: () => Promise<boolean>, what: string, withinMs = 60_000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`never happened: ${what}`);
    await sleep(50);
  }
}

const answers = async (name: string) => (await ask(host.httpPort, name)).body;

/** As if the disk with everything but the volumes were lost. */
async function loseState(): Promise<void> {
  for (const it of await readdir(host.stateDir))
    if (it !== 'volumes') await rm(join(host.stateDir, it), { recursive: true, force: true });
}

async function history(): Promise<unknown> {
  return JSON.parse(succeeded(await host.slipway(['releases', 'shop', '--json'])).stdout).data;
}

describe('an upgrade', () => {
  it('`up` of the same build leaves agent and resolver alone', async () => {
    const before = [await host.agentPid(), await recordIn('dns/resolver.json')];
    const { stdout } = succeeded(await host.slipway(['up', '--detach']));
    expect(stdout).not.toContain('replaced');
    expect([await host.agentPid(), await recordIn('dns/resolver.json')]).toEqual(before);
  });

  it('`up` of another build leaves an agent to the service manager that runs it, and says so', async () => {
    const agent = await host.agentPid();
    const [ours, away] = [join(host.stateDir, 'agent/process.json'), join(host.dir, 'process.json')];
    await rename(ours, away);
    expect(await second.slipway(host.stateDir, ['up', '--detach'])).toContain('under a service manager, and stays');
    expect([await host.agentPid(), alive(agent)]).toEqual([agent, true]);
    await rename(away, ours);
  });

  it('`up` of another build replaces agent and resolver, and no container, gateway, request or name notices', async () => {
    const before = { workloads: await workloads(), gateway: await gatewayPids(host), nats: await natsPids() };
    const agent = await host.agentPid();
    const resolver = await recordIn('dns/resolver.json');
    const web = (await readContainers(host)).find((it) => it.slot === 'web.0')?.id ?? '';
    const prober = startProber({ port: host.httpPort, host: 'web.test', everyMs: 10 });
    expect(await second.slipway(host.stateDir, ['up', '--detach'])).toContain('it was replaced by this one');
    await eventually(async () => {
      const now = await recordIn('dns/resolver.json').catch(() => resolver);
      return now.pid !== resolver.pid;
    }, 'another resolver');
    const { stdout: page } = await run('docker', ['exec', web, 'wget', '-q', '-O', '-', 'http://db:8080/']);
    await sleep(500);
    await prober.stop();

    expect(page).toContain('web 1');
    expect(alive(agent)).toBe(false);
    expect(alive(resolver.pid)).toBe(false);
    expect(await host.agentPid()).not.toBe(agent);
    expect((await recordIn('dns/resolver.json')).build).not.toBe(resolver.build);
    expect(prober.answers.filter((it) => it.body !== 'web 1')).toEqual([]);
    expect(prober.answers.length).toBeGreaterThan(50);
    expect({ workloads: await workloads(), gateway: await gatewayPids(host), nats: await natsPids() }).toEqual(before);
  });

  it('`status` says that agent and command are of different builds', async () => {
    const said = /its agent runs \S+, this command is \S+: `slipway up`/;
    await eventually(async () => said.test((await host.slipway(['status'])).stdout), 'the new agent reports its build');
    expect(await second.slipway(host.stateDir, ['status'])).not.toContain('its agent runs');
  });
});

describe('a backup', () => {
  it('is written while everything runs, for its owner only, and can be verified', async () => {
    const { stdout } = succeeded(await host.slipway(['backup', file]));
    expect(stdout).toMatch(/not in it: the data of volumes[^]*private keys[^]*gpg -c/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const verified = JSON.parse(succeeded(await host.slipway(['backup', '--verify', file, '--json'])).stdout);
    expect(verified).toMatchObject({ ok: true, data: { exact: true, namespaces: ['shop'], openDeploys: [] } });
  });

  it('says which deploy was open', async () => {
    const store = await openStore(host);
    const [deployed] = await store.bucket('deploys').list(['ns', 'shop']);
    const key = ['open', 'shop', deployed?.key.at(-1) ?? ''];
    await store.bucket('deploys').put(key, deployed?.value);
    const { stdout } = succeeded(await host.slipway(['backup', `${file}.open`]));
    await store.bucket('deploys').delete(key);
    await store.close();
    expect(stdout).toContain(`deploy shop/${key[2]} was open`);
  });

  it('that is damaged is refused before anything is written, and so is one into an installation', async () => {
    const damaged = join(host.dir, 'damaged.backup');
    const bytes = await readFile(file);
    await writeFile(damaged, bytes.subarray(0, bytes.length - 20));
    const elsewhere = join(host.dir, 'elsewhere');
    const ran = await host.slipway(['--state-dir', elsewhere, 'restore', damaged, '--json']);
    expect([ran.code, JSON.parse(ran.stdout).error.code]).toEqual([1, 'BACKUP_INVALID']);
    expect(existsSync(elsewhere)).toBe(false);
    const again = await host.slipway(['restore', file]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') });
  });
});

describe('a restore', () => {
  it('next to containers that still run adopts them, and the installation goes on', async () => {
    const before = { workloads: await workloads(), history: await history() };
    const victims = [await host.agentPid(), (await recordIn('dns/resolver.json')).pid, ...(await natsPids())];
    await loseState();
    expect(await host.slipway(['restore', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('an agent'),
    });
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await eventually(async () => victims.every((pid) => !alive(pid)), 'they are gone');

    const { stdout } = succeeded(await host.slipway(['restore', file]));
    expect(stdout).toMatch(/everything is frozen[^]*slipway up/);
    succeeded(await host.slipway(['up', '--detach']));
    await eventually(async () => (await answers('web.test')) === 'web 1', 'the gateway answers');
    expect({ workloads: await workloads(), history: await history() }).toEqual(before);
    const manifest = { namespace: 'other', services: [webService({ hostname: 'other.test', version: '7' })] };
    expect(await host.slipway(['deploy', '-f', await host.manifest('frozen', manifest)])).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/FROZEN: .*restored from the backup/),
    });
    succeeded(await host.slipway(['unfreeze', '--all']));
    await deploy('other', [webService({ hostname: 'other.test', version: '7' })]);
    expect(await answers('other.test')).toBe('web 7');
  });

  it('goes into another NATS server when it is empty, and into none that holds a state', async () => {
    const nats = await startNats();
    try {
      const into = (dir: string) =>
        host.slipway(['--state-dir', join(host.dir, dir), 'restore', file, '--nats', nats.url, '--json']);
      const first = JSON.parse(succeeded(await into('first')).stdout);
      expect(first.data).toMatchObject({
        installation: { natsUrl: nats.url },
        live: [{ namespace: 'shop', release: 1 }],
      });
      const again = await into('second');
      expect([again.code, JSON.parse(again.stdout).error.message]).toEqual([1, expect.stringContaining('already')]);
      const { stdout } = succeeded(await host.slipway(['--state-dir', join(host.dir, 'first'), 'releases', 'shop']));
      expect(stdout).toContain('#1');
    } finally {
      await nats.stop();
    }
  });

  it('that was killed is run again; until then nothing uses what is there', async () => {
    succeeded(await host.slipway(['backup', file]));
    const before = await history();
    succeeded(await host.slipway(['down']));
    await writeFile(join(host.stateDir, 'volumes/shop/data/precious'), 'still here');
    await rename(join(host.stateDir, 'volumes'), saved);
    await loseState();
    const { child, ended } = host.start(['restore', file]);
    await eventually(async () => existsSync(join(host.stateDir, 'nats/url')), 'its nats-server runs');
    child.kill('SIGKILL');
    await ended;
    const refused = { code: 1, stderr: expect.stringContaining('has not ended') };
    for (const args of [['up', '--detach'], ['status']]) expect(await host.slipway(args)).toMatchObject(refused);
    succeeded(await host.slipway(['restore', file]));
    expect(await history()).toEqual(before);
  });

  it('without the data of a volume starts everything else, and never an empty volume', async () => {
    const data = join(host.stateDir, 'volumes/shop/data');
    succeeded(await host.slipway(['up', '--detach']));
    // A first start that fails is tried again after a pause of up to 60 s.
    await eventually(async () => (await answers('web.test')) === 'web 1', 'what has no volume is served', 100_000);
    await sleep(1_000);
    expect(existsSync(data)).toBe(false);
    await cp(join(saved, 'shop'), join(host.stateDir, 'volumes/shop'), { recursive: true });
    // It would try again by itself, after a pause that has grown meanwhile.
    await host.restartAgent();
    await eventually(async () => (await answers('db.test')) === 'web 1', 'the volume is used');
    expect(await readFile(join(data, 'precious'), 'utf8')).toBe('still here');
  });
});
