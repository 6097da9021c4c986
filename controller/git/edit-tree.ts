/**
 * Puts entries into a tree and takes them out, by paths; only the folders on the way are written anew. Names are byte
 * strings (latin1) here, so that a name that is not UTF-8 stays what it is.
 */
import type { LooseObjects } from './loose-objects.ts';
import type { Objects } from './objects.ts';
import type { TreeLine } from './parse-objects.ts';

/** What lies at a path: the mode as six digits. */
export interface Entry {
  readonly mode: string;
  readonly oid: string;
}

/** Path (bytes as latin1) → what is to lie there, null: nothing. */
export type TreeEdits = ReadonlyMap<string, Entry | null>;

export const FOLDER = '040000';

/** Gives the tree's id, or the paths where a file would lie on a folder that is not empty, or the other way round. */
export async function editTree(
  args: { objects: Objects; loose: LooseObjects },
  base: string | null,
  edits: TreeEdits,
): Promise<{ readonly oid: string } | { readonly clashes: readonly string[] }> {
  const clashes: string[] = [];
  const oid = await folder(args, base, edits, '', clashes);
  return clashes.length > 0 ? { clashes } : { oid: oid ?? (await args.loose.write('tree', Buffer.alloc(0))) };
}

/** null: the folder is empty, so that git has none. */
async function folder(
  args: { objects: Objects; loose: LooseObjects },
  base: string | null,
  edits: TreeEdits,
  prefix: string,
  clashes: string[],
): Promise<string | null> {
  const lines = new Map<string, Entry>();
  for (const { name, mode, oid } of base === null ? [] : await args.objects.tree(base, 'latin1')) {
    lines.set(name, { mode, oid });
  }
  const { here, below } = split(edits);
  // What goes makes room for what comes.
  for (const [name, entry] of here) if (entry === null && lines.get(name)?.mode !== FOLDER) lines.delete(name);
  for (const [name, inner] of below) {
    const there = lines.get(name);
    const comes = [...inner.values()].some((it) => it !== null);
    if (there !== undefined && there.mode !== FOLDER) {
      if (comes) clashes.push(prefix + name);
      continue;
    }
    const oid = await folder(args, there?.oid ?? null, inner, `${prefix}${name}/`, clashes);
    if (oid === null) lines.delete(name);
    else lines.set(name, { mode: FOLDER, oid });
  }
  for (const [name, entry] of here) {
    if (entry === null) continue;
    if (lines.get(name)?.mode === FOLDER) clashes.push(prefix + name);
    else lines.set(name, entry);
  }
  if (lines.size === 0) return null;
  return await args.loose.write('tree', treeBytes([...lines].map(([name, it]) => ({ name, ...it }))));
}

function split(edits: TreeEdits): { here: Map<string, Entry | null>; below: Map<string, Map<string, Entry | null>> } {
  const here = new Map<string, Entry | null>();
  const below = new Map<string, Map<string, Entry | null>>();
  for (const [path, entry] of edits) {
    const slash = path.indexOf('/');
    if (slash < 0) {
      here.set(path, entry);
      continue;
    }
    const name = path.slice(0, slash);
    const inner = below.get(name) ?? new Map<string, Entry | null>();
    below.set(name, inner.set(path.slice(slash + 1), entry));
  }
  return { here, below };
}

/** The bytes of a tree: git compares names as bytes, a folder's as if it ended in a slash. */
function treeBytes(lines: readonly TreeLine[]): Uint8Array {
  const keyed = lines.map((it) => ({ ...it, key: it.mode === FOLDER ? `${it.name}/` : it.name }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return Buffer.concat(
    keyed.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`, 'latin1'),
      Buffer.from(oid, 'hex'),
    ]),
  );
}
