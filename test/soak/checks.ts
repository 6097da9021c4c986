/** What must be true after a soak, asked of the parts themselves: docker, nft, ip, HAProxy, the volume, the raw log. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Store } from '../../store/port.ts';
import type { Host } from '../lab/host.ts';
import { type Inventory, readInventory } from '../lab/inventory.ts';
import type { PrivateEngine } from '../lab/private-engine.ts';
import type { Answer } from '../lab/probe.ts';
import { pidsOf } from '../lab/processes.ts';
import { openStore } from '../lab/store.ts';
import { faultsOf, latenessMs, reignsOf } from './history.ts';
import type { Kill } from './story.ts';
import type { Victim } from './victims.ts';
import { NAMESPACE, TURN, VIOLATIONS, VOLUME } from './workload.ts';

const run = promisify(execFile);
const CONVERGE_MS = 150_000;
/** How long after a kill of it users may see errors. Everybody else can die without a user noticing. */
const ERRORS_ALLOWED_MS: Partial<Record<Victim, number>> = { haproxy: 15_000 };
/** How long an old version may answer after the log has a newer one: gateways follow when they are back themselves. */
const LATE_MS = 60_000;

async function withStore<T>(host: Host, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(host);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The instances are exactly these, and filter, bridge and gateway know exactly them. */
export async function expectConverged(host: Host, wanted: readonly string[]): Promise<void> {
  const until = Date.now() + CONVERGE_MS;
  const view = (it: Inventory) => ({ containers: it.containers, members: it.members, links: it.links });
  for (;;) {
    const there = await readInventory(host).catch(() => null);
    const target = there && { containers: [...wanted], members: there.addresses, links: there.addresses.length };
    const routed = there?.servers.length === 2 && there.servers.every((it) => there.addresses.includes(it));
    if (there && target && routed && JSON.stringify(view(there)) === JSON.stringify(target)) return;
    if (Date.now() > until) {
      const { stdout } = await host.slipway(['deploys', NAMESPACE, '--limit', '5']);
      const links = await run('ip', ['-details', 'link', 'show', 'master', host.installation.bridge]);
      const text = `when it has been quiet for ${CONVERGE_MS / 1000} s\n${stdout}\n${links.stdout}`;
      expect(there && view(there), text).toEqual(target);
      expect(there?.servers, 'addresses that HAProxy sends to').toEqual(there?.addresses.slice(0, 2));
    }
    await sleep(500);
  }
}

/** The log is dense, every deploy ended exactly once, and none is open. */
export async function expectTrueHistory(host: Host): Promise<void> {
  await withStore(host, async (store) => {
    const entries = await store.log.entries(NAMESPACE);
    const records = await store.bucket('deploys').list();
    const ids = records.flatMap(({ value }) => {
      const id = (value as { readonly id?: unknown } | null)?.id;
      return typeof id === 'string' ? [id] : [];
    });
    expect(ids.length, 'recorded deploys').toBeGreaterThan(0);
    expect(faultsOf(entries, ids)).toEqual([]);
    expect(entries.length).toBe(await store.log.tip(NAMESPACE));
    const open = await store.bucket('deploys').list(['open']);
    expect(open.map((it) => it.key)).toEqual([]);
    const record = (await store.bucket('namespaces').get([NAMESPACE]))?.value;
    expect(record).toMatchObject({ failed: null, held: null });
  });
}

/** No answer of a version that was not live, and no error but for a moment after a kill that explains it. */
export async function expectTrustyAnswers(
  host: Host,
  answers: readonly Answer[],
  kills: readonly Kill[],
): Promise<void> {
  const reigns = await withStore(host, async (store) => reignsOf(store, await store.log.entries(NAMESPACE), 'web'));
  const wrong: string[] = [];
  for (const { body, atMs } of answers) {
    if (body === null) continue;
    const version = /^web (\d+)$/.exec(body)?.[1];
    const late = version === undefined ? null : latenessMs(reigns, version, performance.timeOrigin + atMs);
    if (late === null || late > LATE_MS) wrong.push(`${body}: ${late === null ? 'was never live' : `${late} ms late`}`);
  }
  expect([...new Set(wrong)], 'wrong answers').toEqual([]);
  const unexplained = answers.filter(
    ({ body, atMs }) =>
      body === null && !kills.some((it) => atMs >= it.atMs && atMs <= it.atMs + (ERRORS_ALLOWED_MS[it.victim] ?? -1)),
  );
  const began = answers[0]?.atMs ?? 0;
  const lastKills = (atMs: number) =>
    kills
      .filter((it) => it.atMs <= atMs)
      .slice(-4)
      .map((it) => `${it.victim} ${Math.round(atMs - it.atMs)} ms before`);
  const shown = unexplained.map(
    (it) => `${it.why} at ${Math.round(it.atMs - began)} ms (${lastKills(it.atMs).join(', ')})`,
  );
  expect(shown.slice(0, 20), `${unexplained.length} of ${answers.length} probes failed without a reason`).toEqual([]);
}

/** One writer at a time; one of each process; only our containers. */
export async function expectTidy({ host, engine }: { host: Host; engine: PrivateEngine }): Promise<void> {
  const volume = join(host.stateDir, 'volumes', NAMESPACE, VOLUME);
  expect(await readFile(join(volume, TURN), 'utf8'), 'the writer wrote').not.toBe('');
  expect(await readFile(join(volume, VIOLATIONS), 'utf8').catch(() => ''), 'writers at once').toBe('');
  expect(await pidsOf('nats-server', join(host.stateDir, 'nats'))).toHaveLength(1);
  // A master and its worker.
  expect(await pidsOf('haproxy', join(host.stateDir, 'gateway'))).toHaveLength(2);
  const foreign = await engine.docker(['ps', '--all', '--format', '{{.Names}} {{.Labels}}']);
  const strangers = foreign.split('\n').filter((it) => it !== '' && !it.includes(host.installation.id));
  expect(strangers).toEqual([]);
  const jobs = await engine.docker([
    'ps',
    '--all',
    '--filter',
    'label=slipway.job',
    '--format',
    '{{.Names}} {{.State}}',
  ]);
  expect(jobs.split('\n').filter((it) => it.endsWith('running'))).toEqual([]);
}
