/**
 * Every strategy × first deploy, update, removal of another service, under load: start-first ones fail no request,
 * stop-first ones are away no longer than their plan says.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LABEL } from '../../agent/identity.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import type { Downtime } from '../../schemas/plan.ts';
import { ensureAppImage } from '../lab/app-image.ts';
import { type Host, startHost } from '../lab/host.ts';
import { type Load, startLoad, total } from '../lab/load.ts';
import type { HostRecord } from '../lab/load-record.ts';
import { type LoadService, loadManifest } from '../lab/load-service.ts';

const run = promisify(execFile);

interface Case {
  readonly namespace: string;
  readonly downtime: Downtime['class'];
  readonly web: Partial<LoadService>;
  /** Log entries of the update: checkpoints and the release. */
  readonly releases: number;
  /** Instances of web that run when the update has ended. */
  readonly running: number;
}

const CASES: readonly Case[] = [
  { namespace: 'rolling', downtime: 'none', web: { count: 2 }, releases: 1, running: 2 },
  {
    namespace: 'batches',
    downtime: 'none',
    web: { count: 3, strategy: { rolling: { max_surge: 1 } } },
    releases: 3,
    running: 3,
  },
  {
    namespace: 'blue-green',
    downtime: 'none',
    web: { count: 2, strategy: { blue_green: { hold: '10m' } } },
    releases: 1,
    running: 4,
  },
  { namespace: 'recreate', downtime: 'swap', web: { count: 2, strategy: 'recreate' }, releases: 1, running: 2 },
  { namespace: 'volume', downtime: 'swap', web: { volume: 'data', onTerm: 'ignore' }, releases: 1, running: 1 },
];

let host: Host;
let image: string;
let load: Load;

beforeAll(async () => {
  image = await ensureAppImage();
  host = await startHost();
  load = await startLoad(host.httpPort);
});

afterAll(async () => {
  await load?.[Symbol.asyncDispose]();
  await host?.destroy();
});

it.concurrent.each(CASES)('$namespace: first deploy, update, removal of another service', async (it1) => {
  const { namespace } = it1;
  const hosts = { web: `web-${namespace}.test`, other: `other-${namespace}.test` };
  const other = { name: 'other', image, version: '1', host: hosts.other };
  const web = (version: string) => ({ name: 'web', image, host: hosts.web, version, ...it1.web });
  await load.add({ host: hosts.web, keepAlive: 2, newConnection: 1, post: 1, slow: { clients: 1, ms: 1_000 } });
  await load.add({ host: hosts.other, keepAlive: 1, newConnection: 1 });

  const first = await stage(namespace, 'first', [web('1'), other]);
  expect(first.downtime).toBe('none');
  expect(first.seen[hosts.web]).toMatchObject({ errors: {}, versions: { '1': expect.any(Number) } });
  expect(first.seen[hosts.other]).toMatchObject({ errors: {} });

  const worstMs = await plannedOutageMs(namespace, [web('2'), other]);
  const update = await stage(namespace, 'update', [web('2'), other]);
  const seen = update.seen[hosts.web] as HostRecord;
  expect(Object.keys(seen.versions)).toEqual(['1', '2']);
  expect(update.seen[hosts.other]).toMatchObject({ errors: {} });
  expect(update.downtime).toBe(it1.downtime);
  process.stdout.write(`${namespace}: longest gap ${seen.longestGapMs} ms, planned ${worstMs} ms, ${story(seen)}\n`);
  // Start-first: whoever asks is answered, and rightly. Stop-first: there is an outage, as long as was said at most.
  const kept = { none: total(seen.errors) === 0 && worstMs === 0, swap: seen.longestGapMs <= worstMs };
  expect({ story: story(seen), kept: kept[it1.downtime] }).toEqual({ story: story(seen), kept: true });
  expect(update.releases).toHaveLength(it1.releases);
  expect(await running(namespace, 'web')).toBe(it1.running);

  const removal = await stage(namespace, 'removal', [web('2')]);
  expect(removal.downtime).toBe('none');
  expect(removal.seen[hosts.web]).toMatchObject({ errors: {} });
  // What was taken away says so; nobody is cut off in the middle.
  const left = Object.keys(removal.seen[hosts.other]?.errors ?? {}).toSorted();
  expect(left).toEqual(['keep-alive 404', 'new-connection 404']);
});

const story = (record: HostRecord) => JSON.stringify({ errors: record.errors, first: record.firstErrors });

/** The worst outage of web that the plan prints; 0: none. */
async function plannedOutageMs(namespace: string, services: readonly LoadService[]): Promise<number> {
  const path = await host.manifest(`${namespace}-planned`, loadManifest(namespace, services));
  const { downtime } = await json<{ downtime: Downtime }>(['plan', namespace, '-f', path, '--json']);
  return downtime.services.find((it) => it.service === 'web')?.worstMs ?? 0;
}

/** One deploy, the class of its downtime, and what clients of the namespace saw until half a second after it. */
async function stage(namespace: string, name: string, services: readonly LoadService[]) {
  const path = await host.manifest(`${namespace}-${name}`, loadManifest(namespace, services));
  const hosts = [`web-${namespace}.test`, `other-${namespace}.test`];
  await load.lap(hosts);
  const { deploy } = await json<{ deploy: Pick<Deploy, 'releases' | 'downtime'> }>(['deploy', '-f', path, '--json']);
  await sleep(500);
  return { downtime: deploy.downtime.class, releases: deploy.releases, seen: await load.lap(hosts) };
}

async function json<T>(args: readonly string[]): Promise<T> {
  const ran = await host.slipway(args);
  if (ran.code !== 0) throw new Error(`slipway ${args.join(' ')}: ${ran.code} ${ran.stdout}${ran.stderr}`);
  return (JSON.parse(ran.stdout) as { data: T }).data;
}

async function running(namespace: string, service: string): Promise<number> {
  const labels = Object.entries({
    [LABEL.installation]: host.installation.id,
    [LABEL.namespace]: namespace,
    [LABEL.service]: service,
  });
  const filters = labels.flatMap(([name, value]) => ['--filter', `label=${name}=${value}`]);
  return (await run('docker', ['ps', '-q', ...filters])).stdout.trim().split('\n').length;
}
