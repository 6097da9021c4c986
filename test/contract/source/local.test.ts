/** The source over local repositories that git changes. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRepository, type Repository } from '../../../controller/git/repository.ts';
import type { SourceState } from '../../../controller/source/state.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createGitRepo, type GitRepo } from '../../lab/git-repo.ts';
import { memoryCursors, observeSource, type SourceLab } from '../../lab/source-lab.ts';

let root: string;
let repo: GitRepo;
let labs: SourceLab[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-source-'));
  repo = await createGitRepo({ dir: join(root, 'fleet') });
  labs = [];
});

afterEach(async () => {
  await Promise.all(labs.map((it) => it.stop()));
  await rm(root, { recursive: true, force: true });
});

function observe(args: Partial<Parameters<typeof observeSource>[0]> = {}): SourceLab {
  const lab = observeSource({ repository: open(), ...args });
  labs.push(lab);
  return lab;
}

function open(): Repository {
  return openRepository({ location: repo.path, branch: 'main', mirrorDir: join(root, 'm'), log: silentLogger });
}

function at(revision: string, kind: SourceState['kind'] = 'ok'): (state: SourceState) => boolean {
  return (state) => state.kind === kind && 'revision' in state && state.revision === revision;
}

function texts(state: SourceState): Record<string, string> {
  if (state.kind !== 'ok') throw new Error(`the state is ${state.kind}`);
  return Object.fromEntries(state.files.map((it) => [it.path, Buffer.from(it.bytes).toString()]));
}

function problems(state: SourceState): string[] {
  return state.kind === 'ok' || state.kind === 'invalid' ? state.problems.map((it) => `${it.file}: ${it.message}`) : [];
}

it('delivers the settings and every file below the manifests folder, and nothing beside it', async () => {
  const revision = await repo.commit({
    'slipway.toml': 'manifests = "deploy"',
    'deploy/production.toml': 'p',
    'deploy/staging/web.json': 's',
    'namespaces/ignored.toml': 'x',
    'README.md': 'x',
  });
  const state = await observe().until(at(revision));
  expect(texts(state)).toEqual({ 'deploy/production.toml': 'p', 'deploy/staging/web.json': 's' });
  if (state.kind !== 'ok') return;
  expect(Buffer.from(state.settingsFile ?? []).toString()).toBe('manifests = "deploy"');
  expect(state.commit.subject).toBe('Change');
});

for (const watch of [true, false]) {
  it(`notices each commit ${watch ? 'with file events' : 'by polling alone'}`, async () => {
    await repo.commit({ 'namespaces/a.toml': 'start' });
    const lab = observe({ watch });
    await lab.until((it) => it.kind === 'ok');
    const delays: number[] = [];
    for (let n = 0; n < 8; n++) {
      const revision = await repo.commit({ 'namespaces/a.toml': `text ${n}` });
      const startedAt = performance.now();
      const state = await lab.until(at(revision), 5_000);
      delays.push(performance.now() - startedAt);
      expect(texts(state)['namespaces/a.toml']).toBe(`text ${n}`);
    }
    // The promise is 250 ms, which bench/ measures; this holds on a machine that is busy with other things.
    expect(delays.toSorted((a, b) => a - b)[4]).toBeLessThan(1_000);
  });
}

it('an unchanged branch is not read, not told and not written anywhere', async () => {
  const revision = await repo.commit({ 'namespaces/a.toml': 'x' });
  const cursors = memoryCursors();
  const repository = open();
  let reads = 0;
  const counted = <T>(read: () => T): T => {
    reads++;
    return read();
  };
  const counting: Repository = {
    ...repository,
    find: (...args) => counted(() => repository.find(...args)),
    readBlob: (...args) => counted(() => repository.readBlob(...args)),
    commitInfo: (...args) => counted(() => repository.commitInfo(...args)),
  };
  const lab = observe({ repository: counting, cursors, pace: { pollMs: 10, maxPollMs: 10 } });
  await lab.until(at(revision));
  await sleep(30);
  const before = { reads, writes: cursors.writes };
  await sleep(300);
  expect({ reads, writes: cursors.writes }).toEqual(before);
  expect(before.writes).toBe(1);
  expect(lab.states).toHaveLength(1);
});

it('a branch or repository that is gone, or a folder without files, is unavailable and comes back', async () => {
  const revision = await repo.commit({ 'namespaces/a.toml': 'x' });
  const lab = observe();
  await lab.until(at(revision));
  await repo.git(['branch', '-q', '-m', 'main', 'other']);
  const noBranch = await lab.until((it) => it.kind === 'unavailable');
  expect(noBranch).toMatchObject({ why: expect.stringMatching(/no branch "main" \(it has: other\)/) as string });
  await repo.git(['branch', '-q', '-m', 'other', 'main']);
  await lab.until(at(revision));
  await rename(repo.path, `${repo.path}.away`);
  await lab.until((it) => it.kind === 'unavailable' && /does not exist/.test(it.why));
  await rename(`${repo.path}.away`, repo.path);
  await lab.until(at(revision));
  await repo.commit({ 'namespaces/a.toml': null, 'README.md': 'x' });
  await lab.until((it) => it.kind === 'unavailable' && /has no folder "namespaces"/.test(it.why));
  const back = await repo.commit({ 'namespaces/a.toml': 'y' });
  await lab.until(at(back));
});

it('an emptied tree is unavailable, never zero files', async () => {
  const revision = await repo.commit({ 'namespaces/a.toml': 'x' });
  const lab = observe();
  await lab.until(at(revision));
  await repo.commit({ 'namespaces/a.toml': null });
  const state = await lab.until((it) => it.kind !== 'ok');
  expect(state).toMatchObject({ kind: 'unavailable', code: 'SOURCE_UNAVAILABLE' });
});

it('the root may be the manifests folder, and settings alone are not a fleet', async () => {
  await repo.commit({ 'slipway.toml': 'manifests = "."' });
  const lab = observe();
  await lab.until((it) => it.kind === 'unavailable' && /has no files in the root folder/.test(it.why));
  const revision = await repo.commit({ 'a.toml': 'x' });
  expect(texts(await lab.until(at(revision)))).toEqual({ 'a.toml': 'x' });
});

it('refuses a rewound branch, also after a restart, until it contains the old revision again', async () => {
  const first = await repo.commit({ 'namespaces/a.toml': '1' });
  const second = await repo.commit({ 'namespaces/a.toml': '2' });
  const cursors = memoryCursors();
  const before = observe({ cursors });
  await before.until(at(second));
  await before.stop();
  await repo.git(['reset', '-q', '--hard', first]);
  const lab = observe({ cursors });
  const state = await lab.until((it) => it.kind === 'rewound');
  expect(state).toMatchObject({
    revision: first,
    lastSeen: second,
    why: expect.stringMatching(/allow_rewind/) as string,
  });
  expect(lab.states).toHaveLength(1);
  await repo.git(['merge', '-q', '-s', 'ours', '-m', 'merge', second]);
  await lab.until(at(await repo.head()));
});

it('takes a rewound branch when its settings allow that', async () => {
  const first = await repo.commit({ 'namespaces/a.toml': '1' });
  const second = await repo.commit({ 'namespaces/a.toml': '2' });
  const lab = observe();
  await lab.until(at(second));
  await repo.git(['reset', '-q', '--hard', first]);
  await lab.until((it) => it.kind === 'rewound');
  const third = await repo.commit({ 'slipway.toml': 'allow_rewind = true' });
  expect(texts(await lab.until(at(third)))).toEqual({ 'namespaces/a.toml': '1' });
});

it('an amended commit is a rewind too', async () => {
  await repo.commit({ 'namespaces/a.toml': '1' });
  const second = await repo.commit({ 'namespaces/a.toml': '2' });
  const lab = observe();
  await lab.until(at(second));
  await repo.git(['commit', '-q', '--amend', '-m', 'amended']);
  expect(await lab.until(at(await repo.head(), 'rewound'))).toMatchObject({ lastSeen: second });
});

it('names links, submodules, large files, LFS pointers, hostile names and twins, and reads the others', async () => {
  const first = await repo.commit({
    'namespaces/good.toml': 'good',
    'namespaces/link.toml': { link: '../slipway.toml' },
    'namespaces/folder': { link: '/etc' },
    'namespaces/big.toml': Buffer.alloc(100 * 2 ** 20, 'a'),
    'namespaces/lfs.toml': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
    'namespaces/new\nline.toml': 'x',
    'namespaces/-rf.toml': 'x',
    'namespaces/Twin.toml': 'a',
    'namespaces/twin.toml': 'b',
  });
  await repo.git(['update-index', '--add', '--cacheinfo', `160000,${first},namespaces/sub`]);
  await repo.git(['commit', '-q', '-m', 'submodule']);
  const state = await observe().until(at(await repo.head()));
  expect(texts(state)).toEqual({ 'namespaces/good.toml': 'good' });
  expect(problems(state)).toEqual([
    'namespaces/-rf.toml: a part of the name begins with a dash',
    'namespaces/Twin.toml: the name differs from another only in case or in how it is encoded: namespaces/twin.toml',
    'namespaces/big.toml: is larger than 1 MiB',
    'namespaces/folder: is a symbolic link',
    'namespaces/lfs.toml: is a Git LFS pointer',
    'namespaces/link.toml: is a symbolic link',
    'namespaces/new\\u000aline.toml: the name holds a control or invisible character',
    'namespaces/sub: is a submodule',
    'namespaces/twin.toml: the name differs from another only in case or in how it is encoded: namespaces/Twin.toml',
  ]);
});

it('a manifests folder or settings that are links make the revision invalid', async () => {
  const first = await repo.commit({ 'real/a.toml': 'x', namespaces: { link: 'real' } });
  const lab = observe();
  expect(problems(await lab.until(at(first, 'invalid')))).toEqual(['namespaces: is a symbolic link']);
  const second = await repo.commit({
    namespaces: null,
    'namespaces/a.toml': 'x',
    'slipway.toml': { link: '/etc/passwd' },
  });
  expect(problems(await lab.until(at(second, 'invalid')))).toEqual(['slipway.toml: is a symbolic link']);
  const third = await repo.commit({ 'slipway.toml': 'manifests = "../.."' });
  expect(problems(await lab.until(at(third, 'invalid')))).toEqual([
    'slipway.toml: the manifests folder lies outside of the repository',
  ]);
});

it('3,000 files are refused, 2,000 are read', async () => {
  const files = (count: number, text: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`namespaces/n${n % 40}/f${n}.toml`, `${text}${n}`]));
  const many = await repo.commit(files(3_000, 'a'));
  const lab = observe();
  expect(problems(await lab.until(at(many, 'invalid')))).toEqual(['namespaces: holds more than 2000 files or folders']);
  const removed = Object.fromEntries(
    Object.keys(files(3_000, ''))
      .slice(1_900)
      .map((it) => [it, null]),
  );
  const fewer = await repo.commit(removed);
  expect(Object.keys(texts(await lab.until(at(fewer))))).toHaveLength(1_900);
});

it('folders nested without end are refused', async () => {
  const revision = await repo.commit({ [`namespaces/${'d/'.repeat(40)}a.toml`]: 'x', 'namespaces/a.toml': 'x' });
  expect(problems(await observe().until(at(revision, 'invalid')))).toEqual([
    'namespaces: has folders nested more than 32 deep',
  ]);
});

it('a tree that git would not have made is unavailable and does no harm', async () => {
  const first = await repo.commit({ 'namespaces/a.toml': 'x' });
  const lab = observe();
  await lab.until(at(first));
  await writeFile(join(root, 'rubbish'), 'this is no tree');
  const tree = await repo.git(['hash-object', '-w', '-t', 'tree', '--literally', join(root, 'rubbish')]);
  const commit = await repo.git(['commit-tree', '-p', first, '-m', 'rubbish', tree]);
  await repo.git(['update-ref', 'refs/heads/main', commit]);
  await lab.until((it) => it.kind === 'unavailable' && /malformed/.test(it.why));
  await repo.git(['update-ref', 'refs/heads/main', first]);
  expect(await lab.until(at(first))).toMatchObject({ kind: 'ok' });
});

it('goes on when the observer fails or the settings cannot be understood', async () => {
  const first = await repo.commit({ 'namespaces/a.toml': 'x' });
  let failures = 2;
  const lab = observe({
    pace: { retryMs: 10, maxRetryMs: 10 },
    manifestsFolder: (settings) => {
      if (settings !== null) throw new Error('poison');
      return 'namespaces';
    },
    onState: () => {
      if (failures-- > 0) throw new Error('observer');
    },
  });
  await lab.until(at(first));
  const second = await repo.commit({ 'slipway.toml': 'poison' });
  expect(problems(await lab.until(at(second, 'invalid')))).toEqual(['slipway.toml: cannot be understood']);
});

it('with the store down nothing is believed; with the store back the revision is', async () => {
  const revision = await repo.commit({ 'namespaces/a.toml': 'x' });
  const cursors = memoryCursors();
  cursors.fail = true;
  const lab = observe({ cursors });
  await lab.until((it) => it.kind === 'unavailable');
  cursors.fail = false;
  await lab.until(at(revision));
  expect(lab.states.map((it) => it.kind)).toEqual(['unavailable', 'ok']);
});
