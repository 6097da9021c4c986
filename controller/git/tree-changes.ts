/** What one tree changed of another, file by file; folders that are the same are not looked into. */
import { createBreath } from './breath.ts';
import { type Entry, FOLDER } from './edit-tree.ts';
import type { Objects } from './objects.ts';
import { unavailable } from './unavailable.ts';

/** Before and after at one path (bytes as latin1). A folder is never an entry. */
export interface FileChange {
  readonly before: Entry | null;
  readonly after: Entry | null;
}

const MAX_CHANGES = 50_000;
/** Trees that name each other many times over have no end, though they hold few files or none. */
const MAX_FOLDERS = 50_000;
const MAX_DEPTH = 64;

/** Path → change. @throws SOURCE_UNAVAILABLE when they differ in more than can be held */
export async function treeChanges(
  objects: Objects,
  before: string | null,
  after: string | null,
  signal: AbortSignal,
): Promise<Map<string, FileChange>> {
  const found = new Map<string, FileChange>();
  const queue: { path: string; before: string | null; after: string | null; depth: number }[] = [
    { path: '', before, after, depth: 0 },
  ];
  const breath = createBreath(signal);
  let folders = 0;
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    await breath();
    if (++folders > MAX_FOLDERS) throw unavailable('Two revisions differ in too many folders to be compared');
    const [old, now] = [await linesOf(objects, at.before), await linesOf(objects, at.after)];
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const [was, is] = [old.get(name) ?? null, now.get(name) ?? null];
      if (was?.oid === is?.oid && was?.mode === is?.mode) continue;
      const path = `${at.path}${name}`;
      const inner = { before: folderOid(was), after: folderOid(is) };
      if (inner.before !== null || inner.after !== null) {
        if (at.depth >= MAX_DEPTH) throw unavailable('Two revisions differ below too many folders to be compared');
        queue.push({ path: `${path}/`, ...inner, depth: at.depth + 1 });
      }
      const change = { before: inner.before === null ? was : null, after: inner.after === null ? is : null };
      if (change.before !== null || change.after !== null) found.set(path, change);
      if (found.size > MAX_CHANGES) throw unavailable('Two revisions differ in too many files to be compared');
    }
  }
  return found;
}

async function linesOf(objects: Objects, oid: string | null): Promise<ReadonlyMap<string, Entry>> {
  const lines = oid === null ? [] : await objects.tree(oid, 'latin1');
  return new Map(lines.map(({ name, mode, oid: at }) => [name, { mode, oid: at }]));
}

function folderOid(entry: Entry | null): string | null {
  return entry?.mode === FOLDER ? entry.oid : null;
}
