/** The two minutes of a first user: start, look, commit, look, Ctrl-C, start again, remove everything. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLONE } from './clone.ts';
import type { BareHost } from './host.ts';
import { type Inventory, leftovers, readInventory } from './inventory.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const READY = /^ready: (http:\/\/localhost(?::\d+)?)\/?$/m;
const FLEET = /^fleet repository: (\/\S.*)$/m;
const FIRST_START_MS = 600_000;
const NEXT_START_MS = 60_000;
const STOP_MS = 30_000;
const DEPLOY_MS = 60_000;
const QUIET_MS = 3_000;

export interface Proof {
  readonly host: BareHost;
  readonly signal: AbortSignal;
  /** One line for what has just been shown. */
  readonly shown: (what: string) => void;
}

/** @throws at the first thing that is not as promised */
export async function proveStart({ host, signal, shown }: Proof): Promise<void> {
  const refused = await host.attempt(['npm', '--prefix', CLONE, 'start']);
  assert.equal(refused.exitCode, 4, refused.output);
  assert.match(refused.output, /npm start -- --yes/);
  shown('npm start changes nothing without a yes');

  let terminal = openTerminal(host, CLONE, 'npm start -- --yes', signal);
  const url = (await terminal.waitFor(READY, FIRST_START_MS))[1] ?? '';
  const fleet = (await terminal.waitFor(FLEET, NEXT_START_MS))[1] ?? '';
  await serves(host, url, 'slipway-example:1');
  // Entry 1 of its log is the end of its job.
  await terminal.waitFor(/^demo: release #2 is live$/m, DEPLOY_MS);
  shown(`npm start -- --yes: ${url} answers`);

  await commitUpdate(host, fleet);
  shown(`git commit: the new version answers after ${await switchTo(host, url, 'slipway-example:2', signal)} ms`);

  await terminal.waitFor(/^production: release #2 is live$/m, DEPLOY_MS);
  const before = await quiet(host, signal);
  await stop(terminal);
  assert.deepEqual((await readInventory(host)).containers, before.containers);
  await serves(host, url, 'slipway-example:2');
  shown('Ctrl-C: the workload still answers');

  terminal = openTerminal(host, CLONE, 'npm start', signal);
  await terminal.waitFor(READY, NEXT_START_MS);
  const after = await readInventory(host);
  assert.deepEqual(after.containers, before.containers);
  assert.deepEqual(servers(after), servers(before));
  await serves(host, url, 'slipway-example:2');
  shown('npm start again: the same containers, gateway and resolver, and no question');

  await stop(terminal);
  await host.run([`${CLONE}/bin/slipway`, 'down', '--purge']);
  assert.deepEqual(leftovers(await readInventory(host)), []);
  shown('slipway down --purge: nothing is left');
}

async function stop(terminal: Terminal): Promise<void> {
  const exitCode = await terminal.interrupt(STOP_MS);
  assert.ok([0, 130].includes(exitCode), `npm start ended with ${exitCode} after Ctrl-C`);
}

/** What is there once old instances have gone: the same containers for a while. */
async function quiet(host: BareHost, signal: AbortSignal): Promise<Inventory> {
  let last = await readInventory(host);
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < QUIET_MS) {
    await sleep(500, undefined, { signal });
    const now = await readInventory(host);
    if (now.containers.join() !== last.containers.join()) sinceMs = performance.now();
    last = now;
  }
  return last;
}

/** HAProxy and friends as they were started; the processes inside containers are not among them. */
function servers(inventory: Inventory): string[] {
  return inventory.processes.filter((it) => /\b(?:haproxy|nats-server)\b/.test(it));
}

async function commitUpdate(host: BareHost, fleet: string): Promise<void> {
  const files = await host.run(['grep', '-rl', '--', 'slipway-example:1', `${fleet}/namespaces`]);
  const paths = files.trim().split('\n');
  await host.run(['sed', '-i', 's/slipway-example:1/slipway-example:2/', '--', ...paths]);
  const somebody = ['-c', 'user.name=First User', '-c', 'user.email=user@localhost'];
  await host.run(['git', ...somebody, '-C', fleet, 'commit', '-qam', 'Version 2']);
}

/** Milliseconds until the version answers; every answer on the way has to be a good one. */
async function switchTo(host: BareHost, url: string, version: string, signal: AbortSignal): Promise<number> {
  const start = performance.now();
  while (performance.now() - start < DEPLOY_MS) {
    if ((await page(host, url)).includes(version)) return Math.round(performance.now() - start);
    await sleep(20, undefined, { signal });
  }
  throw new Error(`${url} does not show ${version} within ${DEPLOY_MS / 1000} s`);
}

async function serves(host: BareHost, url: string, version: string): Promise<void> {
  assert.ok((await page(host, url)).includes(version), `${url} does not show ${version}`);
}

const FETCH = `const it = await fetch(process.argv[1]); const text = await it.text();
if (!it.ok) throw new Error(it.status + ' ' + text); process.stdout.write(text);`;

/** @throws when the answer is not a 2xx */
async function page(host: BareHost, url: string): Promise<string> {
  return await host.run(['node', '--input-type=module', '-e', FETCH, '--', url]);
}
