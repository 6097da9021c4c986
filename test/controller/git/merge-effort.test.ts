import { expect, it } from 'vitest';
import { createBreath } from '../../../controller/git/breath.ts';
import { diffEffort } from '../../../controller/git/diff-effort.ts';
import { mergeLines } from '../../../controller/git/merge-lines.ts';
import { doubtfulMove } from '../../../controller/git/merge-moves.ts';
import type { Objects } from '../../../controller/git/objects.ts';
import type { TreeLine } from '../../../controller/git/parse-objects.ts';
import { type FileChange, treeChanges } from '../../../controller/git/tree-changes.ts';

const numbered = (word: string, count: number) => Array.from({ length: count }, (_, i) => `${word} ${i}`);
const bytes = (lines: readonly string[]) => Buffer.from(lines.map((it) => `${it}\n`).join(''));
const signal = new AbortController().signal;
const breath = createBreath(signal);
const oid = (n: number) => n.toString(16).padStart(40, '0');
const entry = (n: number) => ({ mode: '100644', oid: oid(n) });

it('a text that a stranger wrote anew from end to end is a conflict at once, and not after minutes of comparing', () => {
  const base = numbered('line', 4_000);
  const ours = base.with(0, 'ours');
  const startedMs = performance.now();
  expect(mergeLines(bytes(base), bytes(ours), bytes(numbered('theirs', 40_000)))).toBe(null);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

it('far apart changes of a large manifest are merged', () => {
  const base = numbered('line', 20_000);
  const merged = mergeLines(bytes(base), bytes(base.with(3, 'ours')), bytes(base.with(19_990, 'theirs')));
  const expected = bytes(base.with(3, 'ours').with(19_990, 'theirs'));
  expect(Buffer.compare(merged ?? Buffer.alloc(0), expected)).toBe(0);
});

it('the effort of comparing is that of the differences, and not of what is the same', () => {
  const base = numbered('line', 10_000);
  expect(diffEffort(base, base, 100)).toBe(1);
  expect(diffEffort(base, base.with(5_000, 'other'), 100)).not.toBe(null);
  expect(diffEffort(base, base.toReversed(), 100_000)).toBe(null);
  expect(diffEffort([], ['a'], 100)).not.toBe(null);
  expect(diffEffort([], [], 100)).not.toBe(null);
});

it('trees that name each other many times over end a comparison, though no file lies in them', async () => {
  // Each folder holds ten times the next: 10^30 of them, all empty.
  const lines = (depth: number): TreeLine[] =>
    depth >= 30 ? [] : Array.from({ length: 10 }, (_, i) => ({ mode: '040000', name: `d${i}`, oid: oid(depth + 1) }));
  const objects = { tree: async (it: string) => lines(Number.parseInt(it, 16)) } as Partial<Objects> as Objects;
  await expect(treeChanges(objects, null, oid(0), signal)).rejects.toThrow('too many folders');
});

it('others have their turn while many files are compared', async () => {
  const change = (before: number | null, after: number | null): FileChange => ({
    before: before === null ? null : entry(before),
    after: after === null ? null : entry(after),
  });
  const gone = numbered('old', 2_000).map((path, i) => [path, change(i + 1, null)] as const);
  const come = numbered('new', 40_000).map((path, i) => [path, change(null, i + 10_000)] as const);
  const startedMs = performance.now();
  const found = await doubtfulMove({
    ours: new Map([['manifest', change(1, 2)]]),
    theirs: new Map([...gone, ...come]),
    content: async () => null,
    hasFolder: async () => true,
    breath,
  });
  expect(found).toBe(null);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

it('contents are compared up to a limit, and then the merge is said to be unclear', async () => {
  const large = Buffer.alloc(4 * 2 ** 20, 'x');
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const come = numbered('new', 500).map((path, i): [string, FileChange] => [
    path,
    { before: null, after: entry(i + 100) },
  ]);
  const found = await doubtfulMove({
    ours: new Map([['old', { before: entry(1), after: entry(2) }]]),
    theirs: new Map([['old', { before: entry(1), after: null }], ...come]),
    content: async (it) => (it === oid(1) ? Buffer.from('y') : large),
    hasFolder: async () => true,
    breath,
  });
  clearInterval(timer);
  expect(found).toBe('both sides moved too many files to be compared');
  expect(turns).toBeGreaterThan(0);
});
