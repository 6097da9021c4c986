/** Merges compared with git's own, over small histories that chance makes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository } from '../../../controller/git/repository.ts';
import type { MergeResult } from '../../../controller/git/workshop.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createGitRepo, type FileChange, type GitRepo } from '../../lab/git-repo.ts';

const signal = new AbortController().signal;
let root: string;
let repo: GitRepo;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-merge-'));
  repo = await createGitRepo({ dir: join(root, 'fleet') });
});

afterEach(() => rm(root, { recursive: true, force: true }));

const open = () =>
  openRepository({ location: repo.path, branch: 'main', mirrorDir: join(root, 'mirrors'), log: silentLogger });

type Files = Record<string, FileChange>;

/** Two commits upon one base. */
async function fork(base: Files, ours: Files, theirs: Files): Promise<{ ours: string; theirs: string }> {
  const start = await repo.commit(base, 'base');
  const theirRevision = await repo.commit(theirs, 'theirs');
  await repo.git(['reset', '-q', '--hard', start]);
  return { ours: await repo.commit(ours, 'ours'), theirs: theirRevision };
}

/** The tree that git makes; null: it conflicts. */
async function byGit(sides: { ours: string; theirs: string }): Promise<string | null> {
  return await repo.git(['merge-tree', '--write-tree', sides.ours, sides.theirs]).then(
    (text) => text.split('\n')[0] ?? null,
    (error: { code?: unknown }) => (error.code === 1 ? null : Promise.reject(error)),
  );
}

async function treeOf(result: MergeResult): Promise<string | null> {
  return result.kind === 'merged' ? await repo.git(['rev-parse', `${result.revision}^{tree}`]) : null;
}

const TEXT = 'one\ntwo\nthree\nfour\nfive\nsix\n';

describe('a merge', () => {
  it('of changes to different files and lines gives the tree that git gives, and the same commit each time', async () => {
    const sides = await fork(
      { 'a.toml': TEXT, 'n/b.toml': 'b\n', 'n/c.toml': 'c\n' },
      { 'a.toml': TEXT.replace('one', 'ONE'), 'n/b.toml': null },
      { 'a.toml': TEXT.replace('six', 'SIX'), 'n/d.toml': 'd\n' },
    );
    const first = await open().merge(sides, signal);
    expect(first.kind).toBe('merged');
    expect(await treeOf(first)).toBe(await byGit(sides));
    expect(await open().merge(sides, signal)).toEqual(first);
    const revision = first.kind === 'merged' ? first.revision : '';
    expect(await repo.git(['rev-list', '--parents', '-1', revision])).toBe(`${revision} ${sides.ours} ${sides.theirs}`);
    await repo.git(['fsck', '--strict', '--no-dangling']);
    expect(await repo.head()).toBe(sides.ours);
  });

  it('of what is merged already, or only behind, is the newer one', async () => {
    const first = await repo.commit({ a: '1' });
    const second = await repo.commit({ a: '2' });
    expect(await open().merge({ ours: first, theirs: second }, signal)).toEqual({ kind: 'merged', revision: second });
    expect(await open().merge({ ours: second, theirs: first }, signal)).toEqual({ kind: 'merged', revision: second });
  });

  it.each<[string, Files, Files, Files, string[]]>([
    ['the same line', { a: TEXT }, { a: TEXT.replace('two', '2') }, { a: TEXT.replace('two', 'zwei') }, ['a']],
    ['lines that touch', { a: TEXT }, { a: TEXT.replace('two', '2') }, { a: TEXT.replace('three', '3') }, ['a']],
    ['a removed file', { a: TEXT }, { a: null }, { a: `${TEXT}more\n` }, ['a']],
    ['a file that both add', { z: 'z' }, { a: '1' }, { a: '2' }, ['a']],
    ['a binary file', { a: 'x\0y\nz\n1\n2\n' }, { a: 'X\0y\nz\n1\n2\n' }, { a: 'x\0y\nz\n1\n3\n' }, ['a']],
    ['a symbolic link', { a: { link: 'x' } }, { a: { link: 'y' } }, { a: { link: 'z' } }, ['a']],
    ['a file and a folder', { z: 'z' }, { 'a/b': 'x' }, { a: 'file' }, ['a']],
    ['a folder and a file', { z: 'z' }, { a: 'file' }, { 'a/b': 'x' }, ['a']],
    ['a control character', { z: 'z' }, { 'a\u001b[31m': '1' }, { 'a\u001b[31m': '2' }, ['a [31m']],
  ])('conflicts in %s, and names it', async (_, base, ours, theirs, files) => {
    const sides = await fork(base, ours, theirs);
    expect(await open().merge(sides, signal)).toEqual({ kind: 'conflict', files });
    expect(await byGit(sides)).toBeNull();
  });

  it('is unclear when a file was moved on both sides, or moved on one and removed on the other', async () => {
    const sides = await fork({ a: TEXT }, { a: null, b: TEXT }, { a: null, c: TEXT });
    expect(await open().merge(sides, signal)).toMatchObject({ kind: 'unclear', why: expect.stringContaining('moved') });
  });

  it('is unclear when a folder was moved and the other side put a file into it', async () => {
    const sides = await fork({ 'n/a': TEXT, 'n/b': 'b\n' }, { n: null, 'm/a': TEXT, 'm/b': 'b\n' }, { 'n/c': 'c\n' });
    expect(await open().merge(sides, signal)).toMatchObject({ kind: 'unclear' });
  });

  it('goes through when a namespace file was moved and another was added beside it', async () => {
    const sides = await fork({ 'n/a': TEXT, 'n/b': 'b\n' }, { 'n/a': null, 'n/x': TEXT }, { 'n/c': 'c\n' });
    expect(await treeOf(await open().merge(sides, signal))).toBe(await byGit(sides));
  });

  it('is unclear over several merge bases, or none', async () => {
    const base = await repo.commit({ a: '1', b: '1' });
    const left = await repo.commit({ a: '2' });
    await repo.git(['reset', '-q', '--hard', base]);
    const right = await repo.commit({ b: '2' });
    await repo.git(['merge', '-q', '-m', 'm', left]);
    const one = await repo.commit({ c: '1' });
    await repo.git(['reset', '-q', '--hard', left]);
    await repo.git(['merge', '-q', '-m', 'm', right]);
    const two = await repo.commit({ d: '1' });
    expect(await open().merge({ ours: one, theirs: two }, signal)).toMatchObject({
      kind: 'unclear',
      why: expect.stringContaining('2 merge bases'),
    });
    await repo.git(['checkout', '-q', '--orphan', 'other']);
    const other = await repo.commit({ e: '1' });
    expect(await open().merge({ ours: one, theirs: other }, signal)).toMatchObject({
      kind: 'unclear',
      why: expect.stringContaining('no common history'),
    });
  });

  it('carries names and contents that are no UTF-8, executables, links and submodules through', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 10, 65, 10, 66, 10, 67, 10, 0xe9, 10]);
    const start = await repo.commit({ a: bytes, l: { link: 'a' }, x: '#!\n' });
    await repo.git(['update-index', '--add', '--cacheinfo', `160000,${start},sub`]);
    await repo.git(['update-index', '--chmod=+x', 'x']);
    const odd = await repo.git(['hash-object', '-w', 'a']);
    await repo.git(['update-index', '--add', '--cacheinfo', `100644,${odd},${'o'}dd`]);
    await repo.git(['commit', '-q', '-m', 'base']);
    const base = await repo.head();
    const theirs = await repo.commit({ a: Buffer.concat([bytes.subarray(0, 9), Buffer.from([0xe8, 10])]), 'd/e': 'e' });
    await repo.git(['reset', '-q', '--hard', base]);
    const ours = await repo.commit({ a: Buffer.concat([Buffer.from([0xfd]), bytes.subarray(1)]), 'd/f': 'f' });
    const result = await open().merge({ ours, theirs }, signal);
    expect(await treeOf(result)).toBe(await byGit({ ours, theirs }));
    expect(result.kind).toBe('merged');
  });
});

const LINES = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', ''), { maxLength: 8 })
  .map((it) => it.map((l) => `${l}\n`).join(''));
const PATH = fc.constantFrom('a', 'b', 'n/a', 'n/b', 'n/c', 'm/a', 'm/b', 'n', 'n/d/e', 'm/d/e');
const CONTENT = fc.oneof(
  LINES,
  fc.constantFrom(TEXT, TEXT.replace('one', '1'), TEXT.replace('six', '6'), TEXT.replace('three\n', '')),
  fc.constant({ link: 'a' }),
);
const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), path: PATH, content: CONTENT }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), path: PATH }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), path: PATH, to: PATH }) },
);
type Step =
  | { do: 'put'; path: string; content: FileChange }
  | { do: 'remove'; path: string }
  | { do: 'move'; path: string; to: string };
type State = Map<string, FileChange>;

/** Files after the steps; a file that takes a folder's place, or the other way round, takes it wholly. */
function after(state: State, steps: readonly Step[]): State {
  const files = new Map(state);
  const put = (path: string, content: FileChange) => {
    for (const it of files.keys()) if (it.startsWith(`${path}/`) || path.startsWith(`${it}/`)) files.delete(it);
    files.set(path, content);
  };
  for (const step of steps) {
    if (step.do === 'put') put(step.path, step.content);
    else {
      const moved = [...files].filter(([it]) => it === step.path || it.startsWith(`${step.path}/`));
      for (const [it] of moved) files.delete(it);
      if (step.do === 'move') for (const [it, content] of moved) put(step.to + it.slice(step.path.length), content);
    }
  }
  return files;
}

it('never says merged where git conflicts, and gives the tree that git gives', async () => {
  const outcomes = { same: 0, careful: 0, both: 0 };
  const importer = await fastImporter();
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 1, maxLength: 6 }),
      fc.array(STEP, { maxLength: 4 }),
      fc.array(STEP, { maxLength: 4 }),
      async (base, ours, theirs) => {
        const start = after(new Map([['keep', 'keep\n']]), base);
        const sides = await importer(start, after(start, ours), after(start, theirs));
        const expected = await byGit(sides);
        const result = await open().merge(sides, signal);
        const tree = await treeOf(result);
        expect(tree ?? expected, 'the tree that git makes').toBe(expected);
        outcomes[tree !== null ? 'same' : expected === null ? 'both' : 'careful']++;
      },
    ),
    { numRuns: Number(process.env['MERGE_RUNS'] ?? 40) },
  );
  // Else the promise would be kept by never merging.
  expect(outcomes.same).toBeGreaterThan(2 * outcomes.careful);
});

/** Commits from states, by one `git fast-import` each: a commit by the work tree takes ten times as long. */
async function fastImporter(): Promise<
  (base: State, ours: State, theirs: State) => Promise<{ ours: string; theirs: string }>
> {
  let n = 0;
  return async (base, ours, theirs) => {
    const names = ['base', 'ours', 'theirs'].map((it) => `refs/heads/${it}-${n}`) as [string, string, string];
    n++;
    const at = n * 1_000;
    const commit = (ref: string, mark: number, state: State, from: number | null) =>
      [
        `commit ${ref}\nmark :${mark}\ncommitter Ada <ada@example.com> ${mark} +0000\ndata 1\nx`,
        ...(from === null ? [] : [`from :${from}`]),
        'deleteall',
        ...[...state].map(([path, it]) => {
          const link = typeof it === 'object' && it !== null && 'link' in it;
          const text = link ? it.link : String(it);
          return `M ${link ? '120000' : '100644'} inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}`;
        }),
        '',
      ].join('\n');
    await repo.gitInput(
      ['fast-import', '--quiet', '--force'],
      commit(names[0], at, base, null) + commit(names[1], at + 1, ours, at) + commit(names[2], at + 2, theirs, at),
    );
    const [, our, their] = (await repo.git(['rev-parse', ...names])).split('\n');
    return { ours: our ?? '', theirs: their ?? '' };
  };
}
