/** Which objects a push has to carry: what the new revision has and the remote's refs, as far as they are known here, have not. */
import type { Revision } from '../../schemas/names.ts';
import { FOLDER } from './edit-tree.ts';
import type { Objects } from './objects.ts';
import { unavailable } from './unavailable.ts';

const SUBMODULE = '160000';
const MAX_COMMITS = 50_000;

/** Ids of commits, trees and blobs. @throws SOURCE_UNAVAILABLE */
export async function unsentObjects(
  objects: Objects,
  args: { readonly revision: Revision; readonly known: Iterable<Revision> },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { commits, borders } = await unsentCommits(objects, args, signal);
  const sent = new Set<string>();
  const borderTrees: string[] = [];
  for (const it of borders) borderTrees.push((await objects.commit(it)).tree);
  for (const revision of commits) {
    signal.throwIfAborted();
    sent.add(revision);
    await addTree(objects, (await objects.commit(revision)).tree, borderTrees, sent);
  }
  return [...sent];
}

/**
 * Walks from both ends, newest first, until only what the remote has is left. Clocks that are wrong make this send more
 * than it must, never less.
 */
async function unsentCommits(
  objects: Objects,
  args: { readonly revision: Revision; readonly known: Iterable<Revision> },
  signal: AbortSignal,
): Promise<{ commits: readonly Revision[]; borders: ReadonlySet<Revision> }> {
  const theirs = new Set<Revision>();
  const seconds = new Map<Revision, number>();
  const queue = new Set<Revision>([args.revision]);
  for (const it of args.known) if (await objects.has(it)) theirs.add(it);
  const begin = async (it: Revision) => {
    if (!seconds.has(it)) seconds.set(it, (await objects.commit(it)).committedSeconds);
  };
  await begin(args.revision);
  for (const it of theirs) {
    if (!(await isCommit(objects, it))) theirs.delete(it);
    else {
      await begin(it);
      queue.add(it);
    }
  }
  const walked = new Set<Revision>();
  while ([...queue].some((it) => !theirs.has(it))) {
    signal.throwIfAborted();
    if (walked.size > MAX_COMMITS) throw unavailable('There is too much history to be pushed at once');
    let newest = '' as Revision;
    for (const it of queue) if (newest === '' || (seconds.get(it) ?? 0) > (seconds.get(newest) ?? 0)) newest = it;
    queue.delete(newest);
    walked.add(newest);
    for (const parent of (await objects.commit(newest)).parents) {
      await begin(parent);
      const learnt = theirs.has(newest) && !theirs.has(parent);
      if (learnt) theirs.add(parent);
      // Walked as ours before it was known to be theirs: what lies behind it is theirs too.
      if (!walked.has(parent) || learnt) queue.add(parent);
    }
  }
  const commits = [...walked].filter((it) => !theirs.has(it));
  const borders = new Set<Revision>();
  for (const it of commits) {
    for (const parent of (await objects.commit(it)).parents) if (theirs.has(parent)) borders.add(parent);
  }
  return { commits, borders };
}

async function isCommit(objects: Objects, oid: string): Promise<boolean> {
  return await objects.commit(oid).then(
    () => true,
    () => false,
  );
}

/** What is the same at the same place in a tree that the remote has need not travel. */
async function addTree(objects: Objects, oid: string, theirs: readonly string[], sent: Set<string>): Promise<void> {
  if (sent.has(oid) || theirs.includes(oid)) return;
  sent.add(oid);
  const others: (readonly { name: string; mode: string; oid: string }[])[] = [];
  for (const it of theirs) others.push(await objects.tree(it, 'latin1'));
  for (const line of await objects.tree(oid, 'latin1')) {
    if (line.mode === SUBMODULE || sent.has(line.oid)) continue;
    const there = others.flatMap((lines) => lines.filter((it) => it.name === line.name));
    if (there.some((it) => it.oid === line.oid)) continue;
    if (line.mode !== FOLDER) sent.add(line.oid);
    else {
      const folders = there.filter((it) => it.mode === FOLDER).map((it) => it.oid);
      await addTree(objects, line.oid, folders, sent);
    }
  }
}
