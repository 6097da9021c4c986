/**
 * Two installations on one engine, with the same names for everything: what one is told, its removal included, is
 * nothing to the other; and of the one that is removed nothing is left.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRegistry, type TestRegistry } from '../contract/agent/registry.ts';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { webImageContent } from '../lab/images.ts';
import { readContainers, readInventory } from '../lab/inventory.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

const run = promisify(execFile);
const docker = async (...args: readonly string[]) => (await run('docker', [...args])).stdout.trim();
const MANIFEST = 'namespaces/shop.json';

let going: Host;
let staying: Host;
let own: TestRegistry;
let shared: TestRegistry;
let repo: GitRepo;
let up: RunningCommand;
let probe: GatewayProbe;

beforeAll(async () => {
  [going, staying] = await Promise.all([startHost(), startHost()]);
  const content = await webImageContent();
  own = await openRegistry({ 'shop/own': 'serves' }, `${going.installation.id} own`, content);
  shared = await openRegistry({ 'shop/web': 'serves' }, `${going.installation.id} shared`, content);
  repo = await createGitRepo({ dir: join(going.dir, 'fleet') });
  const services = [web('going'), { ...web('own', 'own', `${own.host}/shop/own:1`), depends_on: { web: 'ready' } }];
  await repo.commit({ [MANIFEST]: manifestText('shop', services, { volumes: [{ name: 'data' }] }) });
  up = startCommand(going, ['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
  await up.saw('shop: release #1 is live');
  await deployed('staying');
  probe = startProbe({ port: staying.httpPort, hostname: 'shop.test' });
  await probe.settled('web staying');
  for (const it of [going, staying]) await writeFile(join(volumeFolder(it), 'kept'), 'data');
});

afterAll(async () => {
  await probe?.stop();
  await Promise.all([going?.destroy(), staying?.destroy()]);
  // Whoever goes last leaves what the other had pulled: it did not know that it could go.
  await docker('image', 'rm', `${shared.host}/shop/web@${shared.digest}`).catch(() => undefined);
  own?.close();
  shared?.close();
});

/** With a volume, so that it is there once; its image is one that both installations run. */
function web(version: string, name = 'web', image = `${shared.host}/shop/web:1`) {
  const service = webService({ hostname: name === 'web' ? 'shop.test' : `${name}.test`, name, image, version });
  const mounts = name === 'web' ? [{ source: { volume: 'data' }, target: '/data' }] : [];
  return { ...service, template: { ...(service['template'] as object), mounts } };
}

/** The version, on the installation that stays. */
async function deployed(version: string, mounts?: readonly []): Promise<void> {
  const service = web(version);
  const template = { ...service.template, ...(mounts === undefined ? {} : { mounts }) };
  const manifest = { namespace: 'shop', services: [{ ...service, template }], volumes: [{ name: 'data' }] };
  const ran = await staying.slipway(['deploy', '-f', await staying.manifest('shop', manifest)]);
  if (ran.code !== 0) throw new Error(`version ${version} was not deployed: ${ran.stdout}${ran.stderr}`);
}

const volumeFolder = (host: Host) => join(host.stateDir, 'volumes/shop/data');

/** What the one that stays has, and what is in its packet filter, network and volume. */
async function stays() {
  const { id, bridge } = staying.installation;
  const containers = await readContainers(staying);
  const inside = ['exec', containers[0]?.id ?? '', 'wget', '-qO-', 'http://web:8080/'];
  return {
    inventory: await readInventory(staying),
    containers: containers.map((it) => `${it.slot} ${it.id} ${it.startedAt}`),
    tables: (await tables()).filter((it) => it.includes(id)),
    network: await docker('network', 'inspect', '--format', '{{.Id}} {{json .IPAM.Config}}', `slipway-${id}`),
    link: existsSync(`/sys/class/net/${bridge}`),
    data: await readFile(join(volumeFolder(staying), 'kept'), 'utf8').catch(() => 'nothing'),
    image: await docker('image', 'inspect', '--format', '{{.Id}}', `${shared.host}/shop/web@${shared.digest}`),
    byName: await docker(...inside),
  };
}

async function tables(): Promise<string[]> {
  return (await run('nft', ['list', 'tables'])).stdout.split('\n').toSorted();
}

/** Bridges of all networks that the engine knows. */
async function bridges(): Promise<string[]> {
  const ids = (await docker('network', 'ls', '--quiet', '--filter', 'driver=bridge')).split('\n');
  const name = '{{index .Options "com.docker.network.bridge.name"}}';
  return (await docker('network', 'inspect', '--format', name, ...ids)).split('\n');
}

/** Command lines of all processes that name the folder. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((it) => /^\d+$/.test(it));
  const lines = await Promise.all(pids.map((it) => readFile(`/proc/${it}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((it) => it.replaceAll('\0', ' ')).filter((it) => it.includes(folder));
}

const ownImage = async () =>
  await docker('images', '--all', '--quiet', '--filter', `label=unique=${going.installation.id} own`);

it('a namespace that is removed with consent leaves its volumes, and a neighbour of the same name as it was', async () => {
  const before = await stays();
  expect(before.inventory.containers).toEqual(['web.0 staying running']);
  expect(before.byName).toBe('web staying');
  expect((await readInventory(going)).containers).toEqual(['own.0 own running', 'web.0 going running']);
  await repo.commit({ [MANIFEST]: null, 'namespaces/README': 'nothing is left' });
  const refused = await going.slipway(['deploy', 'shop', '--json']);
  expect(refused.code, refused.stdout).toBe(4);
  const { error } = JSON.parse(refused.stdout) as { error: { details: { plan: string } } };
  const removed = await going.slipway(['deploy', 'shop', '--consent', error.details.plan]);
  expect(removed.code, removed.stdout + removed.stderr).toBe(0);
  expect(await readInventory(going)).toEqual({ containers: [], addresses: [], servers: [], members: [], links: 0 });
  expect(existsSync(join(volumeFolder(going), 'kept'))).toBe(true);
  expect(await stays()).toEqual(before);
  expect(await probe.take()).toEqual(['web staying']);
});

async function volumesOf(host: Host) {
  const ran = await host.slipway(['volume', 'ls', 'shop', '--json']);
  return (JSON.parse(ran.stdout) as { data: object[] }).data;
}

it('a volume that nothing mounts is removed with `--yes` only, also after a removal that was killed, and only here', async () => {
  const before = await stays();
  const { machine } = going.installation;
  const row = { namespace: 'shop', volume: 'data', machine, named: true, present: true };
  expect(await volumesOf(going)).toEqual([{ ...row, users: [] }]);
  const unsure = await going.slipway(['volume', 'rm', 'shop/data']);
  expect(unsure).toMatchObject({ code: 4, stderr: expect.stringContaining('`slipway volume rm shop/data --yes`') });
  expect(existsSync(volumeFolder(going))).toBe(true);
  const killed = await going.slipway(['volume', 'rm', 'shop/data', '--yes'], { SLIPWAY_KILL_AT: 'destroy:send#1' });
  expect(killed.signal).toBe('SIGKILL');
  expect(await volumesOf(going), 'left over').toEqual([{ ...row, named: false, users: [] }]);
  expect(existsSync(join(volumeFolder(going), 'kept'))).toBe(true);
  const removed = await going.slipway(['volume', 'rm', 'shop/data', '--yes']);
  expect(removed.code, removed.stderr).toBe(0);
  expect(existsSync(join(going.stateDir, 'volumes/shop'))).toBe(false);
  expect(await volumesOf(going)).toEqual([]);
  const again = await going.slipway(['volume', 'rm', 'shop/data', '--yes']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('shop has no volume data: it has none') });
  expect(await stays()).toEqual(before);
});

it('a volume that a live service mounts is not removed; once none does, it is, and comes back empty', async () => {
  const before = await stays();
  expect(before.data).toBe('data');
  const refused = await staying.slipway(['volume', 'rm', 'shop/data', '--yes']);
  expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('shop/data is mounted by web') });
  expect(await stays()).toEqual(before);
  await deployed('without', []);
  const [container] = await readContainers(staying);
  expect(existsSync(volumeFolder(staying))).toBe(true);
  const removed = await staying.slipway(['volume', 'rm', 'shop/data', '--yes']);
  expect(removed.code, removed.stderr).toBe(0);
  expect(existsSync(volumeFolder(staying))).toBe(false);
  expect(await readContainers(staying), 'no container was touched').toEqual([container]);
  const { stdout } = await staying.slipway(['releases', 'shop', '--json']);
  const { live, entries } = (JSON.parse(stdout) as { data: { live: number; entries: { volumes: object[] }[] } }).data;
  expect([live, entries[0]?.volumes, entries[1]?.volumes]).toEqual([
    3,
    [],
    [{ volume: 'data', machine: staying.installation.machine }],
  ]);
  await deployed('staying');
  await probe.settled('web staying');
  expect((await stays()).data).toBe('nothing');
});

it('`down --purge` of one leaves containers, network, rules, images and volumes of the other serving', async () => {
  const before = await stays();
  // Images of a removed namespace go by themselves after a while: here is one that does not.
  const again = { namespace: 'again', services: [web('again', 'own', `${own.host}/shop/own:1`)] };
  const deployedAgain = await going.slipway(['deploy', '-f', await going.manifest('again', again)]);
  expect(deployedAgain.code, deployedAgain.stderr).toBe(0);
  expect(await ownImage()).not.toBe('');
  expect(await processesOf(going.stateDir)).not.toEqual([]);
  const down = await going.slipway(['down', '--purge']);
  expect(down.code, down.stdout + down.stderr).toBe(0);
  expect(await stays()).toEqual(before);
  expect(await probe.take()).toEqual(['web staying']);
  await deployed('next');
  await probe.settled('web next');
});

it('of an installation that was removed no image, container, network, rule, process or folder is left', async () => {
  const { id, bridge } = going.installation;
  expect(await docker('ps', '--all', '--quiet', '--filter', `label=slipway.installation=${id}`)).toBe('');
  expect(await docker('network', 'ls', '--quiet', '--filter', `name=${id}`)).toBe('');
  expect(await ownImage()).toBe('');
  expect((await tables()).filter((it) => it.includes(id))).toEqual([]);
  // The next installation may have taken the name of the bridge by now.
  await expect
    .poll(async () => existsSync(`/sys/class/net/${bridge}`) && !(await bridges()).includes(bridge))
    .toBe(false);
  expect(existsSync(going.stateDir)).toBe(false);
  await expect.poll(() => processesOf(going.stateDir)).toEqual([]);
  // The tracked repository is the user's.
  expect(await readdir(going.dir)).toEqual(['fleet', 'manifests']);
});
