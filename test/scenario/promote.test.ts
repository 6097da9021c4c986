/** Promotions on the real system: digests that staging proved go to production through git, by push and before it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webService } from '../kill/lab.ts';
import { type GitHttpServer, serveGit } from '../lab/git-http.ts';
import { createGitRepo, type GitRepo, runGit } from '../lab/git-repo.ts';
import { freePort, type Host, type Ran, startHost } from '../lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../lab/images.ts';
import { sendPushHook } from '../lab/push-hook.ts';

const TOKEN = 'glpat-canary-promote';
const SECRET = 'hook-canary-promote';
const PUSH = '[promotion]\nlanding = "push"\n';
/** A tag that is moved while the test runs. */
const IMAGE = `slipway-test-promote-${process.pid}:1`;

const docker = async (...args: readonly string[]) => (await promisify(execFile)('docker', [...args])).stdout.trim();

let root: string;
let bare: string;
let work: GitRepo;
let server: GitHttpServer;
let hookPort: number;
let host: Host;
let up: ReturnType<Host['start']>;

function namespace(name: string, env: Record<string, string>, image = IMAGE): Record<string, string> {
  const services = [webService('app', '1', 'promote', { template: { image, env } }, false)];
  return { [`namespaces/${name}.json`]: JSON.stringify({ namespace: name, services }, null, 2) };
}

async function commit(files: Record<string, string | null>): Promise<string> {
  await work.git(['pull', '-q', '--rebase', bare, 'main']).catch(() => undefined);
  const revision = await work.commit(files);
  await work.git(['push', '-q', bare, 'main']);
  await wake();
  return revision;
}

/** Tells the controller that something was pushed, as a server would; else it looks every 15 s. */
async function wake(): Promise<void> {
  await sendPushHook({ port: hookPort, secret: SECRET });
}

/** `slipway promote`, and what it pushed is looked at. */
async function promote(...options: readonly string[]): Promise<Ran> {
  const ran = await host.slipway(['promote', 'staging', 'production', ...options]);
  await wake();
  return ran;
}

async function json<T>(args: readonly string[]): Promise<T> {
  const ran = await host.slipway([...args, '--json']);
  const envelope = JSON.parse(ran.stdout) as { ok: boolean; data: T };
  if (!envelope.ok) throw new Error(`${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return envelope.data;
}

interface Listed {
  readonly n: number;
  readonly final: boolean;
  readonly source: { readonly revision: string | null };
  readonly lineage: { readonly promotedFrom?: { readonly namespace: string; readonly n: number } };
}

/** Oldest first. */
const releases = async (name: string) => {
  const { entries } = await json<{ entries: (Listed & { kind: string })[] }>(['releases', name]);
  return entries.filter((it) => it.kind === 'release').toReversed();
};
/** The images that the containers of a namespace run, by id. */
const running = async (name: string) => {
  const ids = (await docker('ps', '-q', '--filter', `label=slipway.installation=${host.installation.id}`)).split('\n');
  const shown = await Promise.all(
    ids
      .filter((it) => it !== '')
      .map((it) =>
        docker('inspect', '-f', '{{index .Config.Labels "slipway.namespace"}} {{.Image}}', it).catch(() => ''),
      ),
  );
  return shown.flatMap((it) => (it.startsWith(`${name} `) ? [it.slice(name.length + 1)] : []));
};

async function until<T>(look: () => Promise<T | null>, what: string): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > end) throw new Error(`not within 30 s: ${what}\n${(await host.slipway(['status'])).stdout}`);
    await sleep(150);
  }
}

const runs = async (name: string, image: string) =>
  await until(async () => {
    const images = await running(name);
    return images.length === 1 && images[0] === image ? true : null;
  }, `${name} runs ${image}`);
const record = async (name: string) =>
  (await json<{ namespaces: { record: { held: { why: string } | null } }[] }>(['status', name])).namespaces[0]?.record;

/** Another image under the same tag. */
async function buildAgain(label: string): Promise<string> {
  const container = await docker('create', WEB_IMAGE);
  await docker('commit', '-c', `LABEL build=${label}`, container, IMAGE);
  await docker('rm', container);
  return await docker('image', 'inspect', '-f', '{{.Id}}', IMAGE);
}

let first = '';
let second = '';
let third = '';

beforeAll(async () => {
  await ensureWebImage();
  root = await mkdtemp(join(tmpdir(), 'slipway-promote-'));
  bare = join(root, 'srv', 'fleet.git');
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', bare]);
  await runGit(bare, ['config', 'http.receivepack', 'true']);
  server = await serveGit({ root: join(root, 'srv'), token: TOKEN });
  first = await buildAgain('first');
  await commit({
    'slipway.toml': PUSH,
    ...namespace('staging', { MODE: 'test' }),
    ...namespace('production', { MODE: 'live' }),
  });
  hookPort = await freePort();
  host = await startHost({ env: { SLIPWAY_GIT_TOKEN: TOKEN, SLIPWAY_HOOK_SECRETS: SECRET } });
  up = host.start(['up', '--repo', server.url('fleet.git'), '--hook-port', String(hookPort)]);
  await Promise.all([runs('staging', first), runs('production', first)]);
});

afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  await host?.destroy();
  await server?.close();
  await rm(root, { recursive: true, force: true });
  for (const it of [IMAGE, first, second, third]) if (it !== '') await docker('rmi', '-f', it).catch(() => '');
});

describe('a promotion that is pushed', () => {
  it('shows what it takes over, what it leaves, and writes nothing with -n', async () => {
    second = await buildAgain('second');
    expect((await host.slipway(['deploy', 'staging', '--pull'])).code).toBe(0);
    await runs('staging', second);
    const before = await runGit(bare, ['rev-parse', 'main']);
    const ran = await promote('-n');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('staging@2 → production');
    expect(ran.stdout).toMatch(/app\s+env\.MODE\s+"test"\s+"live"/);
    expect(ran.stdout).toContain('1 to update');
    expect(await runGit(bare, ['rev-parse', 'main'])).toBe(before);
  });

  it('makes the loop deploy the very digest that staging runs, whatever the tag means by then', async () => {
    third = await buildAgain('third');
    const ran = await promote();
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(
      /production takes over app of staging@2: [0-9a-f]{10} on main; the controller deploys it/,
    );
    await runs('production', second);
    expect((await releases('production')).at(-1)?.lineage.promotedFrom).toEqual({ namespace: 'staging', n: 2 });
    const trailers = await runGit(bare, ['log', '-1', '--format=%(trailers)', 'main']);
    expect(trailers).toMatch(/Slipway-Promoted-From: staging@2\nSlipway-Actor: cli\/\S+/);
    expect(await runGit(bare, ['show', 'main:namespaces/production.lock.toml'])).toContain(`digest = "${second}"`);
    await runGit(bare, ['fsck', '--strict', '--no-dangling']);
  });

  it('writes nothing the second time, and a later release with the same lock is no promotion', async () => {
    const before = await runGit(bare, ['rev-parse', 'main']);
    const again = await promote();
    expect(again.stdout).toContain('nothing was written: namespaces/production.lock.toml has the digests');
    expect(await runGit(bare, ['rev-parse', 'main'])).toBe(before);
    const { length } = await releases('production');
    await commit(namespace('production', { MODE: 'live', MORE: '1' }));
    const last = await until(
      async () => (await releases('production'))[length] ?? null,
      'a release with the new variable',
    );
    expect(last.lineage.promotedFrom).toBeUndefined();
    expect(await running('production')).toEqual([second]);
  });
});

describe('a promotion with --now', () => {
  it('deploys first, lands the same digest, and the loop finds nothing to do', async () => {
    expect((await host.slipway(['deploy', 'staging', '--pull'])).code).toBe(0);
    await runs('staging', third);
    const { length } = await releases('production');
    const ran = await promote('--now');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    await runs('production', third);
    const tip = await runGit(bare, ['rev-parse', 'main']);
    await until(async () => ((await record('production'))?.held === null ? true : null), 'the hold is over');
    const events = (await host.slipway(['events'])).stdout;
    expect(events).toContain(tip.slice(0, 10));
    const after = await releases('production');
    expect(after).toHaveLength(length + 1);
    expect(after.at(-1)?.lineage.promotedFrom).toEqual({ namespace: 'staging', n: 3 });
  });

  it('stays as it is while its pull request is not merged, and changes nothing when it is', async () => {
    await commit({ 'slipway.toml': '' });
    const fourth = await buildAgain('fourth');
    expect((await host.slipway(['deploy', 'staging', '--pull'])).code).toBe(0);
    await runs('staging', fourth);
    const { length } = await releases('production');
    const ran = await promote('--now');
    expect(ran.stdout, ran.stderr).toContain('pushed branch slipway/promote-staging-to-production; merge it to deploy');
    expect((await record('production'))?.held?.why).toBe('promoted from staging@4 before git says so');
    await commit({ README: 'something else' });
    await sleep(1_500);
    expect(await running('production')).toEqual([fourth]);
    await work.git(['pull', '-q', '--no-rebase', bare, 'slipway/promote-staging-to-production']);
    await work.git(['push', '-q', bare, 'main']);
    await wake();
    await until(async () => ((await record('production'))?.held === null ? true : null), 'the hold is over');
    expect(await running('production')).toEqual([fourth]);
    expect(await releases('production')).toHaveLength(length + 1);
  });
});

describe('a lock', () => {
  it('says nothing once the image string is another one: shown, and taken out by the next promotion', async () => {
    await commit({ 'slipway.toml': PUSH, ...namespace('production', { MODE: 'live' }, WEB_IMAGE) });
    const plan = await host.slipway(['plan', 'production']);
    expect(plan.stderr).toMatch(/production\.lock\.toml:\d+:\d+ .*is not used: the manifest says/);
    const refused = await promote();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('nothing of staging@4 fits production');
    await commit(namespace('staging', { MODE: 'test' }, WEB_IMAGE));
    await until(async () => ((await releases('staging')).length === 5 ? true : null), 'staging@5');
    const ran = await promote();
    expect(ran.stdout, ran.stderr).toContain('taken out of the lock: app');
    expect(await runGit(bare, ['show', 'main:namespaces/production.lock.toml'])).toContain(`image = "${WEB_IMAGE}"`);
  });

  it('that names an image which nobody has fails, and what was live goes on', async () => {
    const before = await running('production');
    const lock = await runGit(bare, ['show', 'main:namespaces/production.lock.toml']);
    await commit({
      'namespaces/production.lock.toml': lock.replace(/sha256:[0-9a-f]{64}/, `sha256:${'0'.repeat(64)}`),
    });
    await until(async () => {
      const status = (await host.slipway(['status', 'production'])).stdout;
      return status.includes('IMAGE_NOT_FOUND') ? true : null;
    }, 'the failure is told');
    expect(await running('production')).toEqual(before);
  });
});
