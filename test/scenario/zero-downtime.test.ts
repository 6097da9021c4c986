/** Services are replaced again and again under load, through the whole pipeline, and no client notices. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LABEL } from '../../agent/identity.ts';
import { ensureAppImage } from '../lab/app-image.ts';
import { type Host, startHost } from '../lab/host.ts';
import { startLoad, sum, total } from '../lab/load.ts';
import type { HostRecord } from '../lab/load-record.ts';
import { type LoadService, loadManifest } from '../lab/load-service.ts';

const run = promisify(execFile);

/** Namespaces that switch side by side, and how often each does. */
const NAMESPACES = ['a', 'b', 'c', 'd', 'e', 'f'];
const SWITCHES_EACH = 5;
/** The least time that sessions get to end by themselves (agent/instances.ts), less what clients see late. */
const DRAIN_AT_LEAST_MS = 30_000 - 3_000;

let host: Host;
let image: string;

beforeAll(async () => {
  image = await ensureAppImage();
  host = await startHost();
});

afterAll(async () => {
  await host?.destroy();
});

const hostOf = (namespace: string) => `${namespace}.test`;

/** Every other one ends at SIGTERM and drops all it has; the others do not hear it and are killed after a second. */
function web(namespace: string, version: number): LoadService {
  const onTerm = NAMESPACES.indexOf(namespace) % 2 === 0 ? 'exit' : 'ignore';
  return { image, version: String(version), host: hostOf(namespace), onTerm };
}

async function manifestOf(namespace: string, version: number): Promise<string> {
  return await host.manifest(`${namespace}-${version}`, loadManifest(namespace, [web(namespace, version)]));
}

async function deploy(namespace: string, version: number): Promise<void> {
  const ran = await host.slipway(['deploy', '-f', await manifestOf(namespace, version)]);
  if (ran.code !== 0) throw new Error(`${namespace} version ${version}: ${ran.code} ${ran.stdout}${ran.stderr}`);
}

/** Three at a time: so many first deploys at once would only be slow. */
async function deployFirst(namespaces: readonly string[]): Promise<void> {
  const left = [...namespaces];
  const next = async (): Promise<void> => {
    for (let it = left.shift(); it !== undefined; it = left.shift()) await deploy(it, 1);
  };
  await Promise.all([next(), next(), next()]);
}

const mixed = (namespace: string) => ({
  host: hostOf(namespace),
  keepAlive: 2,
  newConnection: 1,
  post: 1,
  slow: { clients: 1, ms: 5_000 },
});

const story = (record: HostRecord) => JSON.stringify({ errors: record.errors, first: record.firstErrors });

it('30 switches under load fail no request; websockets end at the drain deadline of their own service only', async () => {
  await using load = await startLoad(host.httpPort);
  await deployFirst([...NAMESPACES, 'chat', 'talk']);
  for (const namespace of NAMESPACES) await load.add(mixed(namespace));
  await load.add({ host: hostOf('chat'), keepAlive: 1, sockets: 6 });
  await load.add({ host: hostOf('talk'), keepAlive: 1, sockets: 4 });
  await sleep(1_000);
  await load.lap();
  const begunAt = Date.now();

  const chains = NAMESPACES.map(async (namespace) => {
    for (let version = 2; version <= SWITCHES_EACH + 1; version++) await deploy(namespace, version);
  });
  await Promise.all([...chains, deploy('talk', 2)]);
  await sleep(300);
  const elapsedMs = Date.now() - begunAt;
  const seen = await load.stop();

  const busy = NAMESPACES.map((it) => seen[hostOf(it)] as HostRecord);
  const all = sum(Object.values(seen));
  const switches = total(busy.map((it) => Object.keys(it.versions).length - 1));
  const perSecond = Math.round((all.requests * 1000) / elapsedMs);
  const summary = `${switches} switches, ${all.requests} requests (${perSecond}/s) in ${elapsedMs} ms: ${story(all)}`;
  process.stdout.write(`zero downtime: ${summary} ${JSON.stringify(all.answers)}\n`);
  const verdict = { errors: all.errors, switched30Times: switches >= 30, asked200TimesASecond: perSecond >= 200 };
  const wanted = { errors: {}, switched30Times: true, asked200TimesASecond: true };
  expect({ summary, ...verdict }).toEqual({ summary, ...wanted });
  for (const record of busy) {
    expect(Object.keys(record.versions)).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(Object.keys(record.answers).toSorted()).toEqual(['keep-alive', 'new-connection', 'post', 'slow']);
    expect(record.answers['slow']).toBeGreaterThan(SWITCHES_EACH);
  }

  expect(seen[hostOf('chat')]?.sockets).toEqual({ open: 6, ended: [] });
  const talk = seen[hostOf('talk')] as HostRecord;
  expect(talk.sockets).toMatchObject({ open: 0, ended: [{}, {}, {}, {}] });
  for (const it of talk.sockets.ended) {
    expect(it.version).toBe('1');
    expect(it.endedAt - (talk.versions['2'] ?? Infinity)).toBeGreaterThan(DRAIN_AT_LEAST_MS);
    expect(it.echoes).toBeGreaterThan(50);
  }
}, 400_000);

it('control: with old containers killed at the commit instead of drained, the same clients do see errors', async () => {
  await using load = await startLoad(host.httpPort);
  const namespaces = ['a', 'b'];
  for (const namespace of namespaces) await load.add(mixed(namespace));
  await sleep(1_000);
  await Promise.all(namespaces.map((it) => deployAndKill(it, 100)));
  await sleep(500);
  const seen = sum(Object.values(await load.stop()));
  process.stdout.write(`control: ${story(seen)}\n`);
  expect(Object.keys(seen.versions)).toContain('100');
  expect(total(seen.errors)).toBeGreaterThan(0);
});

/** What a deploy without draining would do: what the new release does not name dies in the moment it is committed. */
async function deployAndKill(namespace: string, version: number): Promise<void> {
  const path = await manifestOf(namespace, version);
  const labels = [`${LABEL.installation}=${host.installation.id}`, `${LABEL.namespace}=${namespace}`];
  const filters = labels.flatMap((it) => ['--filter', `label=${it}`]);
  const { stdout: old } = await run('docker', ['ps', '-q', ...filters]);
  const { child, ended } = host.start(['deploy', '-f', path]);
  let said = '';
  const kills: Promise<unknown>[] = [];
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (kills.length > 0 || !said.includes('committed as release')) return;
    kills.push(run('docker', ['kill', ...old.trim().split('\n')]));
  });
  expect((await ended).code).toBe(0);
  expect({ said, kills: (await Promise.all(kills)).length }).toEqual({ said, kills: 1 });
}
