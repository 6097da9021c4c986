/** Promotions that land in real repositories: as a push, as a branch with a pull request, and beside others who push. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenRepository, openRepository } from '../../../controller/git/repository.ts';
import { type LandDeps, landPromotion } from '../../../controller/promotion/land.ts';
import { preparePromotion } from '../../../controller/promotion/prepare.ts';
import { promote } from '../../../controller/promotion/promote.ts';
import type { NamespaceRecord } from '../../../schemas/deploy.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Release } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';
import { release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';
import { createFakeForge, type FakeForge } from '../../fakes/forge.ts';
import { createGitRepo, type GitRepo, runGit } from '../../lab/git-repo.ts';

const WEB = 'registry.example/web:1';
const LOCK = 'namespaces/production.lock.toml';
const BRANCH = 'slipway/promote-staging-to-production';
const PUSH = '[promotion]\nlanding = "push"\n';
const WISH = { src: 'staging', dst: 'production', by: 'github:alice' };
const signal = new AbortController().signal;

let root: string;
let bare: string;
let work: GitRepo;
let repository: OpenRepository;
let live: Release | null;
let record: NamespaceRecord;
const spec: ServiceSpec = serviceSpec({ imageName: WEB });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-land-'));
  bare = join(root, 'fleet.git');
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', bare]);
  repository = openRepository({ location: bare, branch: 'main', mirrorDir: join(root, 'mirrors'), log: silentLogger });
  live = release([spec], { namespace: 'staging', n: 3 });
  record = { namespace: 'staging', carriedOut: null, failed: null, held: null };
});

afterEach(() => rm(root, { recursive: true, force: true }));

function manifest(namespace: string, image = WEB): Record<string, string> {
  return {
    [`namespaces/${namespace}.json`]: JSON.stringify({ namespace, services: [{ name: 'web', template: { image } }] }),
  };
}

async function push(files: Record<string, string | null>): Promise<string> {
  const revision = await work.commit(files);
  await work.git(['push', '-q', bare, 'main']);
  return revision;
}

function deps(forge: FakeForge | null = null, over: Partial<OpenRepository> = {}): LandDeps {
  return {
    store: {
      log: { live: async () => live } as unknown as LandDeps['store']['log'],
      specs: {
        get: async (digest: string) => (digest === specDigest(spec) ? spec : null),
      } as unknown as LandDeps['store']['specs'],
    },
    namespaces: { get: async () => record },
    repository: { ...repository, ...over },
    forge,
    now: () => 1_700_000_000_000,
  };
}

const show = (ref: string, path = LOCK) => runGit(bare, ['show', `${ref}:${path}`]);

it('pushes one commit upon the tracked branch, and nothing when it is asked again', async () => {
  const base = await push({ 'slipway.toml': PUSH, ...manifest('production') });
  const { landed } = await promote(deps(), WISH, signal);
  expect(landed).toMatchObject({ kind: 'pushed', branch: 'main' });
  expect(await show('main')).toContain(`digest = "sha256:${'a'.repeat(64)}"`);
  expect(await runGit(bare, ['log', '-1', '--format=%P %an %s|%(trailers)', 'main'])).toBe(
    `${base} Slipway Promote staging@3 to production|Slipway-Promoted-From: staging@3\nSlipway-Actor: github:alice`,
  );
  const again = await promote(deps(), WISH, signal);
  expect(again.landed).toEqual({ kind: 'same' });
  expect(again.summary).toContain('nothing was written');
});

it('is made again upon what somebody pushed meanwhile, of what the manifests say then', async () => {
  await push({ 'slipway.toml': PUSH, ...manifest('production') });
  const prepared = await preparePromotion(deps(), WISH, signal);
  const moved = await push({ README: 'x' });
  const { landed } = await landPromotion(deps(), prepared, WISH.by, signal);
  expect(landed.kind).toBe('pushed');
  expect(await runGit(bare, ['rev-parse', 'main^'])).toBe(moved);
  expect(await runGit(bare, ['ls-tree', '--name-only', 'main'])).toContain('README');

  live = release([spec], { namespace: 'staging', n: 4 });
  await push2(LOCK);
  const stale = await preparePromotion(deps(), WISH, signal);
  await push2(
    'namespaces/production.json',
    manifest('production', 'registry.example/web:2')['namespaces/production.json'],
  );
  await expect(landPromotion(deps(), stale, WISH.by, signal)).rejects.toMatchObject({ code: 'PROMOTION_REFUSED' });
  expect(await show('main', 'namespaces/production.json')).toContain('web:2');
});

/** Changes one file upon what is there now; null removes it. */
async function push2(path: string, text: string | null = null): Promise<void> {
  await work.git(['pull', '-q', '--rebase', bare, 'main']);
  await push({ [path]: text });
}

it('gives up after some tries when the branch moves each time', async () => {
  await push({ 'slipway.toml': PUSH, ...manifest('production') });
  await expect(promote(deps(null, { push: async () => 'moved' }), WISH, signal)).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    message: expect.stringContaining('moves faster') as string,
  });
});

it('opens one pull request, and brings its branch up to date when it is asked again', async () => {
  const forge = createFakeForge();
  const base = await push(manifest('production'));
  const first = await promote(deps(forge), WISH, signal);
  expect(first.landed).toMatchObject({
    kind: 'branch',
    branch: BRANCH,
    pull: { title: 'Promote staging@3 to production' },
  });
  expect(await runGit(bare, ['rev-parse', `${BRANCH}^`])).toBe(base);
  expect(await runGit(bare, ['rev-parse', 'main'])).toBe(base);
  const second = await promote(deps(forge), WISH, signal);
  expect(second.landed).toEqual(first.landed);
  expect([...forge.pulls.values()].filter((it) => it.state === 'open')).toHaveLength(1);
  const moved = await push({ README: 'x' });
  await promote(deps(forge), WISH, signal);
  expect(await runGit(bare, ['rev-parse', `${BRANCH}^`])).toBe(moved);
  expect([...forge.pulls.values()]).toHaveLength(1);
});

it('without credentials for a forge pushes the branch, names it, and says what is needed', async () => {
  await push(manifest('production'));
  const { landed, summary } = await promote(deps(), WISH, signal);
  expect(landed).toMatchObject({ kind: 'branch', pull: null });
  expect(summary).toContain(`pushed branch ${BRANCH}`);
  expect(summary).toContain('SLIPWAY_FORGE_TOKEN');
});

it('asks for the lock beside a namespace that is a folder', async () => {
  await push({
    'slipway.toml': PUSH,
    'namespaces/production/a.json': manifest('production')['namespaces/production.json'] ?? '',
  });
  const { promotion } = await promote(deps(), WISH, signal);
  expect(promotion.path).toBe(LOCK);
  expect(promotion.after.services[0]?.lockedImage).toEqual(spec.template.image);
  const { after } = await preparePromotion(deps(), WISH, signal);
  expect(after).toEqual(promotion.after);
});

it.each<[string, () => void, string, RegExp]>([
  [
    'a checkpoint',
    () => (live = release([spec], { namespace: 'staging', n: 3, final: false })),
    'PROMOTION_REFUSED',
    /proves nothing/,
  ],
  ['a namespace without a release', () => (live = null), 'UNKNOWN_NAMESPACE', /no live release/],
  ['images that do not fit', () => (live = release([], { namespace: 'staging' })), 'PROMOTION_REFUSED', /nothing of/],
])('refuses %s, and writes nothing', async (_, arrange, code, message) => {
  const base = await push({ 'slipway.toml': PUSH, ...manifest('production') });
  arrange();
  await expect(promote(deps(), WISH, signal)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message) as string,
  });
  expect(await runGit(bare, ['for-each-ref', '--format=%(objectname)'])).toBe(base);
});

it('refuses a destination that git does not have, or has with problems', async () => {
  await push({ ...manifest('other'), 'namespaces/broken.json': '{' });
  await expect(promote(deps(), WISH, signal)).rejects.toMatchObject({ code: 'UNKNOWN_NAMESPACE' });
  await expect(promote(deps(), { ...WISH, dst: 'broken' }, signal)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  await expect(promote(deps(), { ...WISH, dst: 'staging' }, signal)).rejects.toMatchObject({ code: 'USAGE' });
});

it('says that what runs is promoted where the source is held', async () => {
  await push({ 'slipway.toml': PUSH, ...manifest('production') });
  record = {
    ...record,
    held: { by: 'cli/ada', why: 'rolled back', at: '2026-01-01T00:00:00.000Z', desiredDigest: null },
  };
  const { promotion } = await promote(deps(), WISH, signal);
  expect(promotion.notes).toEqual([
    'staging is held by cli/ada (rolled back): what it runs is promoted, not what git says',
  ]);
});
