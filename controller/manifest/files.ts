/** Which files make which namespace: the folder of manifests, read as names only. Pure. */
import { LABEL } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import { quoted } from './places.ts';
import { formatOf, type ManifestFile } from './read.ts';

/** The files of one namespace; `folder` null when it is a single file. Files in order of path. */
export interface NamespaceFiles {
  readonly namespace: string;
  readonly folder: string | null;
  readonly files: readonly ManifestFile[];
  readonly lock: ManifestFile | null;
  /** Problems with where its files lie. */
  readonly problems: readonly Problem[];
}

export interface FileSet {
  readonly namespaces: readonly NamespaceFiles[];
  /** Problems that belong to no namespace. */
  readonly problems: readonly Problem[];
}

interface Group {
  folder: string | null;
  lock: ManifestFile | null;
  readonly files: ManifestFile[];
  readonly problems: Problem[];
}

const LOCK_ENDING = '.lock.toml';

/**
 * Sorts the files below `root` into namespaces: `production.toml`, or the files directly in `production/`. Files
 * elsewhere, hidden ones and ones that are not TOML, YAML or JSON are not looked at.
 */
export function groupFiles(files: readonly ManifestFile[], root: string): FileSet {
  const groups = new Map<string, Group>();
  const problems: Problem[] = [];
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const place = placeIn(file.path, root);
    if (place === null) continue;
    if (!LABEL.test(place.namespace)) {
      const message = `${quoted(place.namespace)} cannot be the name of a namespace`;
      problems.push({ ...whole(file, message), hint: 'a namespace is called by 1 to 63 of a-z, 0-9, "-" and "_"' });
      continue;
    }
    const group = groups.get(place.namespace) ?? { folder: null, lock: null, files: [], problems: [] };
    groups.set(place.namespace, group);
    add(group, file, place);
  }
  const namespaces = [...groups].map(([namespace, group]) => ({ namespace, ...group }));
  // A lock alone is what a removed namespace leaves behind.
  return { namespaces: namespaces.filter((it) => it.files.length + it.problems.length > 0), problems };
}

interface FilePlace {
  readonly namespace: string;
  readonly folder: string | null;
  readonly kind: 'manifest' | 'lock' | 'misplaced';
}

function placeIn(path: string, root: string): FilePlace | null {
  if (!path.startsWith(`${root}/`)) return null;
  const [first = '', ...rest] = path.slice(root.length + 1).split('/');
  const name = rest.at(-1) ?? first;
  const format = formatOf(name);
  if (format === null || [first, ...rest].some((it) => it.startsWith('.'))) return null;
  const isLock = name.endsWith(LOCK_ENDING);
  if (rest.length > 0) {
    const kind = isLock || rest.length > 1 ? 'misplaced' : 'manifest';
    return { namespace: first, folder: `${root}/${first}`, kind };
  }
  const namespace = isLock ? name.slice(0, -LOCK_ENDING.length) : name.slice(0, -format.length - 1);
  return { namespace, folder: null, kind: isLock ? 'lock' : 'manifest' };
}

function add(group: Group, file: ManifestFile, { folder, kind }: FilePlace): void {
  if (kind === 'lock') group.lock = file;
  else if (kind === 'misplaced') {
    const message = file.path.endsWith(LOCK_ENDING)
      ? 'a lock file lies beside the folder of its namespace, not in it'
      : 'the files of a namespace lie directly in its folder';
    group.problems.push(whole(file, message));
  } else {
    const first = group.files[0];
    if (first !== undefined && (folder === null || group.folder === null)) {
      group.problems.push(
        whole(file, `this namespace is also made by ${first.path}`),
        whole(first, `this namespace is also made by ${file.path}`),
      );
    }
    group.folder = folder;
    group.files.push(file);
  }
}

function whole(file: ManifestFile, message: string): Problem {
  return { file: file.path, line: 0, column: 0, path: '', message };
}
