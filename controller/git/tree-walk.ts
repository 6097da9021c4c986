/** Finds paths and lists files in trees of the object database; nothing is ever checked out. */
import type { Revision } from '../../schemas/names.ts';
import type { Objects } from './objects.ts';
import type { TreeLine } from './parse-objects.ts';

/** Kind of a tree entry, by its mode. */
export type EntryKind = 'file' | 'folder' | 'symlink' | 'submodule' | 'unknown';

export interface TreeEntry {
  /** Hostile text: may hold anything but '/' and NUL between its slashes. */
  readonly path: string;
  readonly kind: EntryKind;
  readonly oid: string;
}

export interface FoundFiles {
  readonly entries: readonly TreeEntry[];
  /** Why the list is not whole; null: it is. */
  readonly exceeded: 'files' | 'depth' | null;
}

const MAX_DEPTH = 32;

/** The kind that a mode of git means. */
export function kindOfMode(mode: string): EntryKind {
  if (mode.startsWith('100')) return 'file';
  const kinds: Record<string, EntryKind> = { '040000': 'folder', '120000': 'symlink', '160000': 'submodule' };
  return kinds[mode] ?? 'unknown';
}

/** What lies at `path` of the revision; '' is its root folder. */
export async function findPath(objects: Objects, revision: Revision, path: string): Promise<TreeEntry | null> {
  let entry: TreeEntry = { path: '', kind: 'folder', oid: (await objects.commit(revision)).tree };
  // Read even when nothing below is asked for: a revision counts once its root is there.
  await objects.tree(entry.oid);
  for (const name of path.split('/').filter((it) => it !== '')) {
    if (entry.kind !== 'folder') return null;
    const line: TreeLine | undefined = (await objects.tree(entry.oid)).find((it) => it.name === name);
    if (line === undefined) return null;
    entry = { path: join(entry.path, name), kind: kindOfMode(line.mode), oid: line.oid };
  }
  return entry;
}

/** Every entry below the tree that is not a folder, depth first in git's order. */
export async function listFiles(
  objects: Objects,
  treeOid: string,
  maxFiles: number,
  signal: AbortSignal,
): Promise<FoundFiles> {
  const entries: TreeEntry[] = [];
  const folders = [{ path: '', oid: treeOid, depth: 1 }];
  let visited = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    if (folder.depth > MAX_DEPTH) return { entries, exceeded: 'depth' };
    // Trees that name each other many times over grow without bound though they hold few files.
    if (++visited > maxFiles) return { entries, exceeded: 'files' };
    const below: typeof folders = [];
    for (const line of await objects.tree(folder.oid)) {
      const path = join(folder.path, line.name);
      const kind = kindOfMode(line.mode);
      if (kind === 'folder') below.push({ path, oid: line.oid, depth: folder.depth + 1 });
      else if (entries.length >= maxFiles) return { entries, exceeded: 'files' };
      else entries.push({ path, kind, oid: line.oid });
    }
    folders.push(...below.reverse());
  }
  return { entries, exceeded: null };
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
