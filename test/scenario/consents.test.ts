/** What waits for people: consents, approvals, freezes and quarantine, with a controller that follows a repository. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webService } from '../kill/lab.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask } from '../lab/probe.ts';
import { stoppedOrEnded } from '../lab/processes.ts';

const SETTINGS = '[approvals.vault]\nrequired = true\n';
const WORKERS = ['cache', 'queue'] as const;

let host: Host;
let repo: GitRepo;
let folder: string;
let up: ReturnType<Host['start']>;

/** Namespace shop: web answers on the gateway, the others only run. */
function shop(version: string, workers: readonly string[] = WORKERS): Record<string, string> {
  const services = [
    webService('web', version, 'consents'),
    ...workers.map((it) => webService(it, '1', 'consents', {}, false)),
  ];
  return { 'namespaces/shop.json': JSON.stringify({ namespace: 'shop', services }, null, 2) };
}

function vault(version: string): Record<string, string> {
  const services = [webService('safe', version, 'consents', {}, false)];
  return { 'namespaces/vault.json': JSON.stringify({ namespace: 'vault', services }, null, 2) };
}

interface Waiting {
  readonly pending: { readonly plan: string; readonly namespace: string; readonly by: string };
  readonly missing: readonly string[];
}

async function json<T>(args: readonly string[]): Promise<T> {
  const ran = await host.slipway([...args, '--json']);
  return (JSON.parse(ran.stdout) as { data: T }).data;
}

async function until<T>(look: () => Promise<T | null>, what: string): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > end) throw new Error(`not within 30 s: ${what}\n${(await host.slipway(['status'])).stdout}`);
    await sleep(100);
  }
}

/** The plan of the namespace that waits for something. */
const waiting = async (namespace: string) =>
  await until(async () => {
    const all = await json<Waiting[]>(['consent']);
    return all.find((it) => it.pending.namespace === namespace && it.missing.length > 0)?.pending ?? null;
  }, `a plan of ${namespace} that waits`);
/** null: nothing is live, or not even the namespace is known. */
const live = async (namespace: string) =>
  (await json<{ live: number | null } | undefined>(['releases', namespace]))?.live ?? null;
const liveFrom = async (namespace: string, n: number) =>
  await until(async () => ((await live(namespace)) === n ? n : null), `${namespace}@${n}`);
const slots = async () => (await readContainers(host)).map((it) => it.slot).toSorted();
const answers = async (body: string) =>
  await until(async () => ((await ask(host.httpPort)).body === body ? body : null), body);
const refused = (ran: Ran, code: string) => {
  expect(ran.code, ran.stdout + ran.stderr).toBe(4);
  expect(ran.stdout + ran.stderr).toContain(code);
};

async function follow(): Promise<void> {
  up = host.start(['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
}

beforeAll(async () => {
  await ensureWebImage();
  folder = await mkdtemp(join(tmpdir(), 'slipway-fleet-'));
  repo = await createGitRepo({ dir: folder });
  host = await startHost();
  await repo.commit({ 'slipway.toml': SETTINGS, ...shop('1') }, 'a shop');
  await follow();
  await liveFrom('shop', 1);
});
afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  await host?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe('a removal of most services', () => {
  let plan = '';

  it('waits, is listed with the command, and removes nothing meanwhile', async () => {
    await repo.commit(shop('1', []), 'only web');
    ({ plan } = await waiting('shop'));
    const status = await host.slipway(['status', 'shop']);
    expect(status.stdout).toContain(
      `plan ${plan.slice(0, 12)} of shop waits for \`slipway consent ${plan.slice(0, 12)}\``,
    );
    expect(status.stdout).toContain('2 of 3 services are removed; more than 50% needs consent.');
    refused(await host.slipway(['deploy', 'shop']), 'CONSENT_NEEDED');
    expect(await slots()).toEqual(['cache.0', 'queue.0', 'web.0']);
  });

  it('does not take a consent to another plan, or to none', async () => {
    const unknown = await host.slipway(['consent', '0123456789ab']);
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toContain(`these do: ${plan.slice(0, 12)}`);
    const wrong = await host.slipway(['approve', plan]);
    expect(wrong.stderr).toContain(`needs no approval: \`slipway consent ${plan.slice(0, 12)}\``);
    refused(await host.slipway(['deploy', 'shop', '--consent', '0123456789ab']), 'is for another plan');
  });

  it('has to be consented to again when its executor dies as it takes the consent', async () => {
    // The controller would carry it out too, and may be first.
    up.child.kill('SIGSTOP');
    const died = await host.slipway(['deploy', 'shop', '--consent', plan], {
      SLIPWAY_KILL_AT: 'agreement:used:consent#1',
    });
    up.child.kill('SIGCONT');
    expect(died.signal).toBe('SIGKILL');
    refused(await host.slipway(['deploy', 'shop']), 'CONSENT_NEEDED');
    expect(await slots()).toHaveLength(3);
  });

  it('is carried out by the controller once somebody consents, who and why are kept', async () => {
    const given = await host.slipway(['consent', plan.slice(0, 12), '-m', 'they are empty']);
    expect(given.code, given.stderr).toBe(0);
    expect(given.stdout).toContain('the controller carries it out now');
    await liveFrom('shop', 2);
    await until(async () => ((await slots()).length === 1 ? true : null), 'only web is left');
    const events = (await host.slipway(['events'])).stdout;
    expect(events).toMatch(/consent\.given .*cli\/\S+ gives consent to plan .*: they are empty/);
    expect(events).toMatch(/consent\.used .*is used: they are empty/);
  });

  it('waits again the next time, though its plan is the same', async () => {
    await repo.commit(shop('1'), 'all again');
    await liveFrom('shop', 3);
    await repo.commit(shop('1', []), 'only web again');
    expect((await waiting('shop')).plan).toBe(plan);
    expect(await slots()).toHaveLength(3);
    await repo.commit(shop('1'), 'as it was');
  });
});

describe('a namespace whose plans are approved', () => {
  it('waits for an approval of exactly its plan, from git and by hand', async () => {
    await repo.commit(vault('1'), 'a vault');
    const { plan } = await waiting('vault');
    refused(await host.slipway(['deploy', 'vault']), 'APPROVAL_NEEDED');
    const file = await host.manifest('vault', JSON.parse(vault('2')['namespaces/vault.json'] ?? '') as unknown);
    refused(await host.slipway(['deploy', '-f', file]), 'APPROVAL_NEEDED');
    expect((await host.slipway(['approve', plan, '-m', 'seen'])).code).toBe(0);
    refused(await host.slipway(['deploy', '-f', file]), 'APPROVAL_NEEDED');
    await liveFrom('vault', 1);
    refused(await host.slipway(['deploy', '-f', file]), 'APPROVAL_NEEDED');
    expect(await live('vault')).toBe(1);
  });
});

describe('a freeze', () => {
  it('stops the loop and every command, and what git said is carried out when it is lifted', async () => {
    const before = await live('shop');
    expect((await host.slipway(['freeze', 'shop', '--reason', 'a sale', '--until', '1h'])).code).toBe(0);
    await repo.commit(shop('2'), 'version 2');
    refused(await host.slipway(['deploy', 'shop']), 'FROZEN');
    refused(await host.slipway(['rollback', 'shop', '--to', '2']), 'a sale');
    expect((await host.slipway(['status', 'shop'])).stdout).toMatch(/shop is frozen by cli\/\S+ until .*: a sale/);
    await sleep(1_500);
    expect(await live('shop')).toBe(before);
    expect((await ask(host.httpPort)).body).toBe('web 1');
    expect((await host.slipway(['unfreeze', 'shop'])).code).toBe(0);
    await answers('web 2');
    expect(
      (await json<{ namespaces: { record: { held: unknown } }[] }>(['status', 'shop'])).namespaces[0]?.record.held,
    ).toBe(null);
  });

  it('that comes in the middle of a deploy ends it before it is live', async () => {
    const before = await live('shop');
    const file = await host.manifest('shop', JSON.parse(shop('3')['namespaces/shop.json'] ?? '') as unknown);
    const deploy = host.start(['deploy', '-f', file], { SLIPWAY_KILL_AT: '!gate:last#1' });
    expect(await stoppedOrEnded(deploy.child)).toBe(true);
    expect((await host.slipway(['freeze', '--all', '--reason', 'an incident'])).code).toBe(0);
    deploy.child.kill('SIGCONT');
    refused(await deploy.ended, 'an incident');
    expect(await live('shop')).toBe(before);
    expect((await ask(host.httpPort)).body).toBe('web 2');
    expect((await host.slipway(['unfreeze', '--all'])).code).toBe(0);
  });
});

describe('a rollback that removes most services', () => {
  const consents = async () => (await json<{ consents: string[] }>(['rollback', 'shop', '--to', '2', '-n'])).consents;

  it('needs consent by the same share as git does', async () => {
    expect(await consents()).toEqual(['2 of 3 services are removed; more than 50% needs consent.']);
    await repo.commit({ 'slipway.toml': `${SETTINGS}[prune]\nmax_percent = 70\n` }, 'more may go');
    await until(async () => ((await consents()).length === 0 ? true : null), 'the new share holds');
  });
});

describe('what was rolled back', () => {
  it('comes back only with consent, also after the controller started again', async () => {
    const ran = await host.slipway(['rollback', 'shop']);
    expect(ran.code, ran.stderr).toBe(0);
    await answers('web 1');
    up.child.kill('SIGTERM');
    await up.ended;
    await follow();
    const no = await host.slipway(['resume', 'shop']);
    refused(no, 'CONSENT_NEEDED');
    expect(no.stderr).toMatch(/Service web would be as in release #\d+ again, which cli\/\S+ rolled back/);
    expect((await host.slipway(['status', 'shop'])).stdout).toContain('held by');
    expect((await ask(host.httpPort)).body).toBe('web 1');
    const { plan } = await waiting('shop');
    const yes = await host.slipway(['resume', 'shop', '--consent', plan.slice(0, 12), '-m', 'it was the disk']);
    expect(yes.code, yes.stderr).toBe(0);
    await answers('web 2');
  });
});
