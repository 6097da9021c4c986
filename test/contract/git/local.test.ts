/** Local repositories as git itself makes them. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createObjects } from '../../../controller/git/objects.ts';
import { openRepository, type Repository } from '../../../controller/git/repository.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createGitRepo, type GitRepo, runGit } from '../../lab/git-repo.ts';

const signal = new AbortController().signal;
let root: string;
let repo: GitRepo;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-git-'));
  repo = await createGitRepo({ dir: join(root, 'fleet') });
});

afterEach(() => rm(root, { recursive: true, force: true }));

function open(path = repo.path, branch = 'main'): Repository {
  return openRepository({ location: path, branch, mirrorDir: join(root, 'mirrors'), log: silentLogger });
}

async function text(repository: Repository, path: string): Promise<string | null> {
  const entry = await repository.find(await repository.tip(signal), path);
  if (entry === null) return null;
  const bytes = await repository.readBlob(entry.oid, 2 ** 20);
  return bytes === null ? null : Buffer.from(bytes).toString();
}

it('reads the tip of a work tree, and each commit that follows', async () => {
  const first = await repo.commit({ 'namespaces/a.toml': 'one' });
  const repository = open();
  expect(await repository.tip(signal)).toBe(first);
  const second = await repo.commit({ 'namespaces/a.toml': 'two' }, 'Second');
  expect(await repository.tip(signal)).toBe(second);
  expect(await text(repository, 'namespaces/a.toml')).toBe('two');
  expect(await repository.commitInfo(second)).toMatchObject({
    author: 'Ada',
    authorEmail: 'ada@example.com',
    subject: 'Second',
    parents: [first],
  });
});

it('ignores what lies in the work tree and is not committed', async () => {
  await repo.commit({ 'namespaces/a.toml': 'one' });
  await writeFile(join(repo.path, 'namespaces/a.toml'), 'not committed');
  expect(await text(open(), 'namespaces/a.toml')).toBe('one');
});

it('reads a bare repository', async () => {
  await repo.commit({ 'a.toml': 'one' });
  await runGit(root, ['clone', '-q', '--bare', repo.path, join(root, 'bare.git')]);
  expect(await text(open(join(root, 'bare.git')), 'a.toml')).toBe('one');
});

it('reads packed refs and packed objects, and loose refs written over them', async () => {
  await repo.commit({ 'a.toml': 'one' });
  const repository = open();
  await repository.tip(signal);
  await repo.git(['gc', '-q', '--prune=now']);
  await repo.git(['pack-refs', '--all']);
  expect(await text(repository, 'a.toml')).toBe('one');
  const second = await repo.commit({ 'a.toml': 'two' });
  expect(await repository.tip(signal)).toBe(second);
  await repo.git(['pack-refs', '--all']);
  expect(await repository.tip(signal)).toBe(second);
  const third = await repo.commit({ 'a.toml': 'three' });
  await repo.git(['pack-refs', '--all']);
  expect(await repository.tip(signal)).toBe(third);
});

it('reads every commit whole while git packs and prunes beside it', async () => {
  await repo.commit({ 'n/a.toml': 'start', 'n/b/c.toml': 'start' });
  const repository = open();
  let stop = false;
  let reads = 0;
  const reader = (async () => {
    while (!stop) {
      const revision = await repository.tip(signal);
      const folder = await repository.find(revision, 'n');
      const { entries } = await repository.list(folder?.oid ?? '', 100, signal);
      const found = await Promise.all(entries.map((it) => repository.readBlob(it.oid, 1_000)));
      const texts = found.map((it) => Buffer.from(it ?? []).toString());
      expect(texts).toHaveLength(2);
      expect(texts[0]).toBe(texts[1]);
      reads++;
    }
  })();
  for (let n = 0; n < 12; n++) {
    await repo.commit({ 'n/a.toml': `text ${n}`, 'n/b/c.toml': `text ${n}` });
    if (n % 3 === 0) await repo.git(['gc', '-q', '--prune=now']);
    if (n % 2 === 0) await repo.git(['pack-refs', '--all']);
  }
  stop = true;
  await reader;
  expect(reads).toBeGreaterThan(5);
});

it('reads a pack again that it met half written', async () => {
  const revision = await repo.commit({ 'a.toml': 'one' });
  await repo.git(['gc', '-q', '--prune=now']);
  const folder = join(repo.path, '.git/objects/pack');
  const pack = join(folder, (await readdir(folder)).find((it) => it.endsWith('.pack')) ?? '');
  const whole = await readFile(pack);
  const objects = createObjects({ gitdir: join(repo.path, '.git'), cacheBytes: 1_000, onUnreadable() {} });
  await chmod(pack, 0o600);
  await writeFile(pack, whole.subarray(0, whole.length >> 1));
  await expect(objects.commit(revision)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  await writeFile(pack, whole);
  expect(await objects.commit(revision)).toMatchObject({ subject: 'Change' });
});

it('does not load a blob that is too large, loose or packed', async () => {
  await repo.commit({ 'big.bin': randomBytes(3 * 2 ** 20), 'zeros.bin': Buffer.alloc(100 * 2 ** 20) });
  const repository = open();
  const revision = await repository.tip(signal);
  const sizes = async () => {
    const entries = await Promise.all(['big.bin', 'zeros.bin'].map((it) => repository.find(revision, it)));
    const before = process.memoryUsage().arrayBuffers;
    const blobs = await Promise.all(entries.map((it) => repository.readBlob(it?.oid ?? '', 2 ** 20)));
    return { blobs, grown: process.memoryUsage().arrayBuffers - before };
  };
  const loose = await sizes();
  expect(loose.blobs).toEqual([null, null]);
  expect(loose.grown).toBeLessThan(2 ** 20);
  await repo.git(['gc', '-q', '--prune=now']);
  expect((await sizes()).blobs).toEqual([null, null]);
  const entry = await repository.find(revision, 'big.bin');
  expect((await repository.readBlob(entry?.oid ?? '', 4 * 2 ** 20))?.byteLength).toBe(3 * 2 ** 20);
});

it('measures a blob that is stored as a delta by what it becomes', async () => {
  const base = randomBytes(1_000_000).toString('base64');
  await repo.commit({ 'a.txt': base });
  await repo.commit({ 'a.txt': `${base} and a little more` });
  await repo.git(['gc', '-q', '--aggressive', '--prune=now']);
  const repository = open();
  const [older, newer] = (await repo.git(['rev-list', '--reverse', 'main'])).split('\n') as [string, string];
  const entries = await Promise.all([older, newer].map((it) => repository.find(it, 'a.txt')));
  for (const [at, sizeBytes] of [base.length, base.length + 18].entries()) {
    expect(await repository.readBlob(entries[at]?.oid ?? '', sizeBytes - 1)).toBeNull();
    expect((await repository.readBlob(entries[at]?.oid ?? '', sizeBytes))?.byteLength).toBe(sizeBytes);
  }
});

it('tells a revision that grew from one that was rewound', async () => {
  const first = await repo.commit({ 'a.toml': '1' });
  const second = await repo.commit({ 'a.toml': '2' });
  await repo.git(['reset', '-q', '--hard', first]);
  const other = await repo.commit({ 'a.toml': '3' });
  const repository = open();
  expect(await repository.contains(first, second, signal)).toBe(true);
  expect(await repository.contains(second, second, signal)).toBe(true);
  expect(await repository.contains(second, other, signal)).toBe(false);
  expect(await repository.contains('0'.repeat(40), other, signal)).toBe(false);
  await repo.git(['merge', '-q', '-s', 'ours', '-m', 'merge', second]);
  expect(await repository.contains(second, await repo.head(), signal)).toBe(true);
});

it('says what is wrong with a place that is no readable repository, and recovers', async () => {
  await repo.commit({ 'a.toml': '1' });
  await repo.git(['worktree', 'add', '-q', '-b', 'side', join(root, 'linked')]);
  await runGit(root, ['clone', '-q', '--shared', '--bare', repo.path, join(root, 'shared.git')]);
  const cases: [path: string, branch: string, why: RegExp][] = [
    [join(root, 'nothing'), 'main', /does not exist/],
    [root, 'main', /no git repository/],
    [join(root, 'linked'), 'side', /linked work tree/],
    [join(root, 'shared.git'), 'main', /borrows objects/],
    [repo.path, 'absent', /no branch "absent" \(it has: main, side\)/],
  ];
  for (const [path, branch, why] of cases) {
    await expect(open(path, branch).tip(signal)).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(why) as string,
    });
  }
  const late = open(join(root, 'nothing'));
  await expect(late.tip(signal)).rejects.toThrow(/does not exist/);
  await runGit(root, ['clone', '-q', repo.path, join(root, 'nothing')]);
  expect(await late.tip(signal)).toBe(await repo.head());
});

it('does not believe a ref whose objects are missing', async () => {
  await repo.commit({ 'a.toml': '1' });
  const repository = open();
  await repository.tip(signal);
  await writeFile(join(repo.path, '.git/refs/heads/main'), `${'1'.repeat(40)}\n`);
  await expect(repository.tip(signal)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

it('lists symbolic links and submodules as what they are', async () => {
  const sub = await repo.commit({ 'n/link.toml': { link: '/etc/passwd' }, 'n/plain.toml': 'x' });
  await repo.git(['update-index', '--add', '--cacheinfo', `160000,${sub},n/sub`]);
  await repo.git(['commit', '-q', '-m', 'submodule']);
  const repository = open();
  const folder = await repository.find(await repository.tip(signal), 'n');
  const { entries } = await repository.list(folder?.oid ?? '', 100, signal);
  expect(entries.map((it) => [it.path, it.kind])).toEqual([
    ['link.toml', 'symlink'],
    ['plain.toml', 'file'],
    ['sub', 'submodule'],
  ]);
});
