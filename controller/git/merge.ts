/**
 * The result of merging two revisions, made of objects alone. It says "merged" only where git would too, with the same
 * tree; what git can do beyond (moved files, criss-cross histories) is a conflict or unclear here, never guessed.
 */
import type { Revision } from '../../schemas/names.ts';
import { createBreath } from './breath.ts';
import { commitBytes } from './commit-text.ts';
import { type Entry, editTree, FOLDER } from './edit-tree.ts';
import type { LooseObjects } from './loose-objects.ts';
import { mergeLines } from './merge-lines.ts';
import { doubtfulMove } from './merge-moves.ts';
import type { Objects } from './objects.ts';
import { oneLine, type TreeLine } from './parse-objects.ts';
import { type FileChange, treeChanges } from './tree-changes.ts';
import type { MergeResult } from './workshop.ts';

export interface MergeDeps {
  readonly objects: Objects;
  readonly loose: LooseObjects;
  /** Best common ancestors of the two. */
  readonly mergeBases: (ours: Revision, theirs: Revision) => Promise<readonly Revision[]>;
}

const MAX_FILES_NAMED = 50;
const MAX_TEXT_BYTES = 4 * 2 ** 20;
const REGULAR = new Set(['100644', '100755']);

/** Merges `theirs` into `ours`; a merge commit of the same two is always the same one. */
export async function mergeRevisions(
  deps: MergeDeps,
  args: { readonly ours: Revision; readonly theirs: Revision },
  signal: AbortSignal,
): Promise<MergeResult> {
  const [ours, theirs] = [await deps.objects.commit(args.ours), await deps.objects.commit(args.theirs)];
  const bases = await deps.mergeBases(args.ours, args.theirs);
  const base = bases[0];
  if (base === undefined) return { kind: 'unclear', why: 'the two have no common history' };
  if (bases.length > 1) {
    return { kind: 'unclear', why: `the two have ${bases.length} merge bases: merge or rebase the branch first` };
  }
  if (base === args.theirs) return { kind: 'merged', revision: args.ours };
  if (base === args.ours) return { kind: 'merged', revision: args.theirs };
  const baseTree = (await deps.objects.commit(base)).tree;
  const merged = await mergeTrees(deps, { base: baseTree, ours: ours.tree, theirs: theirs.tree }, signal);
  if (!('tree' in merged)) return merged;
  const person = {
    name: 'Slipway',
    email: 'slipway@localhost',
    timestamp: Math.max(ours.committedSeconds, theirs.committedSeconds),
  };
  const parents = [args.ours, args.theirs];
  const message = `Merge ${args.theirs.slice(0, 12)} into ${args.ours.slice(0, 12)}`;
  const revision = await deps.loose.write('commit', commitBytes({ tree: merged.tree, parents, message, person }));
  return { kind: 'merged', revision };
}

type Trees = { readonly base: string; readonly ours: string; readonly theirs: string };

async function mergeTrees(
  deps: MergeDeps,
  trees: Trees,
  signal: AbortSignal,
): Promise<{ readonly tree: string } | MergeResult> {
  const ours = await treeChanges(deps.objects, trees.base, trees.ours, signal);
  const theirs = await treeChanges(deps.objects, trees.base, trees.theirs, signal);
  const content = (oid: string) => deps.objects.blob(oid, MAX_TEXT_BYTES);
  const edits = new Map<string, Entry | null>();
  const conflicts: string[] = [];
  const breath = createBreath(signal);
  for (const [path, change] of theirs) {
    await breath();
    const own = ours.get(path);
    const entry = own === undefined ? change.after : await both(deps, own, change);
    if (entry === 'conflict') conflicts.push(path);
    else edits.set(path, entry);
  }
  if (conflicts.length > 0) return conflict(conflicts);
  const hasFolder = async (side: 'ours' | 'theirs', path: string) => {
    let oid: string | undefined = trees[side];
    for (const name of path.split('/')) {
      const lines: readonly TreeLine[] = oid === undefined ? [] : await deps.objects.tree(oid, 'latin1');
      oid = lines.find((it) => it.name === name && it.mode === FOLDER)?.oid;
    }
    return oid !== undefined;
  };
  const doubt = await doubtfulMove({ ours, theirs, content, hasFolder, breath });
  if (doubt !== null) return { kind: 'unclear', why: oneLine(doubt) };
  const edited = await editTree(deps, trees.ours, edits);
  return 'oid' in edited ? { tree: edited.oid } : conflict(edited.clashes);
}

/** What becomes of a file that both changed. */
async function both(deps: MergeDeps, ours: FileChange, theirs: FileChange): Promise<Entry | null | 'conflict'> {
  const [base, a, b] = [ours.before, ours.after, theirs.after];
  if (a?.oid === b?.oid && a?.mode === b?.mode) return a;
  if (base === null || a === null || b === null) return 'conflict';
  if (![base, a, b].every((it) => REGULAR.has(it.mode))) return 'conflict';
  const mode = a.mode === base.mode ? b.mode : a.mode;
  if (a.oid === b.oid || b.oid === base.oid) return { mode, oid: a.oid };
  if (a.oid === base.oid) return { mode, oid: b.oid };
  const text = ({ oid }: Entry) => deps.objects.blob(oid, MAX_TEXT_BYTES);
  const [baseText, ourText, theirText] = [await text(base), await text(a), await text(b)];
  if (baseText === null || ourText === null || theirText === null) return 'conflict';
  const merged = mergeLines(baseText, ourText, theirText);
  return merged === null ? 'conflict' : { mode, oid: await deps.loose.write('blob', merged) };
}

function conflict(paths: readonly string[]): MergeResult {
  const files = paths.map((it) => oneLine(Buffer.from(it, 'latin1').toString('utf8'))).toSorted();
  return { kind: 'conflict', files: files.slice(0, MAX_FILES_NAMED) };
}
