/** Releases in git, and a state that is lost and rebuilt from them: with a controller, a remote, and containers that go on. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogEntry } from '../../schemas/release.ts';
import type { Fence } from '../../schemas/step.ts';
import { formsOf } from '../../trust/redact.ts';
import { webService } from '../kill/lab.ts';
import { type GitHttpServer, serveGit } from '../lab/git-http.ts';
import { createGitRepo, type GitRepo, runGit } from '../lab/git-repo.ts';
import { alive, freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask } from '../lab/probe.ts';
import { sendPushHook } from '../lab/push-hook.ts';

const PLANTED = 'pl4nted-w0rd-0f-the-sh0p';
const REF = 'refs/slipway/namespaces/shop';

let host: Host;
let root: string;
let bare: string;
let work: GitRepo;
let server: GitHttpServer;
let controller: ReturnType<Host['start']> | null = null;

interface Releases {
  readonly live: number | null;
  readonly entries: readonly LogEntry[];
}

const shop = (version: string, more: readonly object[] = []) => ({
  namespace: 'shop',
  services: [
    webService('web', version, 'ledger', { template: { env: { VERSION: version, W: '{{secret:word}}' } } }),
    ...more,
  ],
});
const HOOK_SECRET = 'hook of the ledger';
let hookPort = 0;
const push = async (manifest: object) => {
  const revision = await work.commit({ 'namespaces/shop.json': JSON.stringify(manifest, null, 2) });
  await work.git(['push', '-q', bare, 'HEAD:refs/heads/main']);
  await sendPushHook({ port: hookPort, secret: HOOK_SECRET });
  return revision;
};
const json = async <T>(args: readonly string[]): Promise<T> => {
  const ran = await host.slipway([...args, '--json']);
  return (JSON.parse(ran.stdout) as { data: T }).data;
};
const releases = async () => await json<Releases | undefined>(['releases', 'shop']);
const containers = async () =>
  (await readContainers(host)).map(({ id, slot, startedAt, state }) => ({ id, slot, startedAt, state }));
const fence = async () => {
  const text = await readFile(join(host.stateDir, 'agent/journal/namespaces/shop/operations.json'), 'utf8');
  return (JSON.parse(text) as { fence: Fence }).fence;
};

async function until<T>(look: () => Promise<T | null>, what: string): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > end) throw new Error(`not within 30 s: ${what}\n${(await host.slipway(['status'])).stdout}`);
    await sleep(50);
  }
}
const liveIs = async (n: number) =>
  await until(async () => ((await releases())?.live === n ? n : null), `shop@${n} is live`);
/** The ref's newest commit holds entry n. */
const pushed = async (n: number) =>
  await until(async () => {
    const subject = await runGit(bare, ['log', '-1', '--format=%s', REF]).catch(() => '');
    return subject.startsWith(`shop #${n}:`) ? subject : null;
  }, `shop@${n} is in git`);
const ok = async (args: readonly string[], input?: string) => {
  const ran = await host.slipway(args, {}, input);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran;
};

async function lead(): Promise<void> {
  hookPort = await freePort();
  controller = host.start(['up', '--repo', server.url('fleet.git'), '--hook-port', String(hookPort)]);
}
async function stopLeading(): Promise<void> {
  controller?.child.kill('SIGTERM');
  await controller?.ended;
  controller = null;
}

beforeAll(async () => {
  await ensureWebImage();
  root = await mkdtemp(join(tmpdir(), 'slipway-ledger-'));
  bare = join(root, 'srv/fleet.git');
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', bare]);
  await runGit(bare, ['config', 'http.receivepack', 'true']);
  server = await serveGit({ root: join(root, 'srv') });
  host = await startHost({ env: { SLIPWAY_HOOK_SECRETS: HOOK_SECRET } });
  await ok(['secret', 'set', 'shop/word', '--no-deploy'], PLANTED);
});
afterAll(async () => {
  await stopLeading();
  await host?.destroy();
  await server?.close();
  await rm(root, { recursive: true, force: true });
});

it('what is released is in git, signed, on top of the revision that it came from; a stock client shows it', async () => {
  const first = await push(shop('1'));
  await lead();
  await liveIs(1);
  await push(shop('2'));
  await liveIs(2);
  const template = { image: WEB_IMAGE, entrypoint: ['/bin/sh', '-c'], command: ['exit 3'] };
  const migrate = { name: 'migrate', job: true, template };
  const failed = await host.slipway(['deploy', '-f', await host.manifest('failing', shop('3', [migrate]))]);
  expect(failed.code, failed.stdout + failed.stderr).toBe(1);
  await ok(['rollback', 'shop']);
  const { live, entries = [] } = (await releases()) ?? {};
  expect(entries.map((it) => it.kind).toReversed()).toEqual(['release', 'release', 'job', 'void', 'release']);
  await pushed(5);
  expect(live).toBe(5);

  const clone = join(root, 'clone');
  await runGit(root, ['clone', '-q', server.url('fleet.git'), clone]);
  await runGit(clone, ['fetch', '-q', 'origin', '+refs/slipway/*:refs/slipway/*']);
  await writeFile(join(clone, '.git/signers'), (await ok(['store', 'signers'])).stdout);
  const log = ['-c', 'gpg.ssh.allowedSignersFile=.git/signers', 'log', '--first-parent', '-4'];
  const shown = (await runGit(clone, [...log, '--format=%G? %s', REF])).split('\n');
  expect(shown).toEqual([
    'G shop #5: release, back to #1',
    'G shop #3: job migrate ended with 3',
    expect.stringMatching(/^G shop #2: release from /),
    expect.stringMatching(/^G shop #1: release from /),
  ]);
  expect(await runGit(clone, ['rev-parse', `${REF}~3^`])).toBe(first);
  expect(await runGit(bare, ['fsck', '--strict', '--full'])).toBe('');

  const inGit = await json<{ signed: boolean; missing: number[]; commits: { n: number; rollbackTo?: string }[] }>([
    'releases',
    'shop',
    '--git',
  ]);
  expect(inGit).toMatchObject({ signed: true, missing: [] });
  expect(inGit.commits.map((it) => it.n)).toEqual([5, 3, 2, 1]);
  expect(inGit.commits[0]?.rollbackTo).toBe('shop@1');
});

it('no value of a secret is in the repository', async () => {
  const objects = await runGit(bare, ['cat-file', '--batch-all-objects', '--batch', '--buffer']);
  expect(objects).toContain('{{secret:word}}');
  for (const form of formsOf(Buffer.from(PLANTED))) expect(objects.includes(form), form).toBe(false);
});

it('a lost state comes back from git and the agent: no container is touched, and it is frozen', async () => {
  // The remote is away: what is deployed now is known to the agent only.
  server.fault = 'error';
  await ok(['deploy', 'service', 'web', '--namespace', 'shop', '-e', 'VERSION=by hand']);
  const before = await releases();
  expect(before?.live).toBe(6);
  const running = await containers();
  const highest = await fence();
  await stopLeading();
  const forged = await forge();
  const pids = [await host.agentPid(), Number(await readFile(join(host.stateDir, 'nats/nats.pid'), 'utf8'))];
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until(async () => (pids.some(alive) ? null : true), 'agent and nats-server are gone');
  await rm(join(host.stateDir, 'nats'), { recursive: true });
  server.fault = 'none';

  await ok(['up', '--detach']);
  expect(await releases()).toBeUndefined();
  const repo = ['--repo', server.url('fleet.git')];
  const rebuilt = await ok(['store', 'rebuild', ...repo]);
  expect(rebuilt.stdout).toMatch(/shop +#6 +machine \S+ +6/);
  expect(rebuilt.stdout).toContain(`not believed: ${REF} at ${forged.slice(0, 10)}: it is not signed`);
  expect(rebuilt.stdout).toContain('slipway secret set shop/word');
  expect(await releases()).toEqual(before);
  const again = await host.slipway(['store', 'rebuild', ...repo]);
  expect(again.stderr).toContain('the state is not empty: its log knows shop');

  await ok(['secret', 'set', 'shop/word', '--no-deploy'], 'another');
  const frozen = await host.slipway(['rollback', 'shop']);
  expect(frozen.code, frozen.stdout + frozen.stderr).toBe(4);
  expect(frozen.stderr).toContain('FROZEN');
  expect(await containers()).toEqual(running);
  expect((await ask(host.httpPort)).body).toBe('web by hand');

  await ok(['unfreeze', '--all']);
  await ok(['deploy', 'service', 'web', '--namespace', 'shop', '-e', 'VERSION=after']);
  expect((await ask(host.httpPort)).body).toBe('web after');
  expect((await fence()).generation).toBeGreaterThan(highest.generation);
});

it('the controller leaves the forged ref alone, says so, and goes on once it is put right', async () => {
  const forged = await runGit(bare, ['rev-parse', REF]);
  await lead();
  await until(async () => {
    const kinds = (await host.slipway(['events'])).stdout;
    return kinds.includes('ledger.foreign') ? kinds : null;
  }, 'somebody says that the ref is forged');
  expect(await runGit(bare, ['rev-parse', REF])).toBe(forged);
  const shown = await host.slipway(['releases', 'shop', '--git']);
  expect(shown.code).toBe(1);
  expect(shown.stdout).toContain('is not by Slipway: it is not signed');
  await runGit(bare, ['update-ref', REF, `${forged}^`]);
  await ok(['deploy', 'service', 'web', '--namespace', 'shop', '-e', 'VERSION=last']);
  await pushed(8);
  expect((await runGit(bare, ['log', '--first-parent', '--format=%s', '-3', REF])).split('\n')[2]).toContain('shop #6');
});

/** Somebody who may push puts a release of their own on top. */
async function forge(): Promise<string> {
  const message = 'shop #6: release\n\nSlipway-Release: shop@6';
  const forged = await runGit(bare, ['commit-tree', `${REF}^{tree}`, '-p', REF, '-m', message]);
  await runGit(bare, ['update-ref', REF, forged]);
  return forged;
}
