/**
 * Repositories on this machine: finds the git directory of a folder and reads one branch of it, loose or packed.
 *
 * The files are read directly because this happens four times a second: no process, no parse of the whole ref list.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Revision } from '../../schemas/names.ts';
import { unavailable } from './unavailable.ts';

const MAX_SYMREFS = 5;
const HEX = /^[0-9a-f]{40}$/;

/** The git directory of a bare repository or of a work tree. @throws SOURCE_UNAVAILABLE with what is wrong with it */
export async function findGitdir(path: string): Promise<string> {
  const dotGit = join(path, '.git');
  const kind = await kindOf(dotGit);
  if (kind === 'file') {
    throw unavailable(`${path} is a linked work tree or a submodule: give the folder of the main repository`);
  }
  const gitdir = kind === 'folder' ? dotGit : path;
  const parts = await Promise.all(['HEAD', 'objects', 'refs'].map((it) => kindOf(join(gitdir, it))));
  if (parts[0] !== 'file' || parts[1] !== 'folder' || parts[2] !== 'folder') {
    const there = await kindOf(path);
    throw unavailable(there === null ? `${path} does not exist` : `There is no git repository in ${path}`);
  }
  await refuseUnreadable(path, gitdir);
  return gitdir;
}

/** Forms of repositories that isomorphic-git would read wrongly or not at all. */
async function refuseUnreadable(path: string, gitdir: string): Promise<void> {
  if ((await kindOf(join(gitdir, 'commondir'))) !== null) {
    throw unavailable(`${path} belongs to a linked work tree: give the folder of the main repository`);
  }
  if ((await kindOf(join(gitdir, 'objects/info/alternates'))) !== null) {
    throw unavailable(
      `${path} borrows objects of another repository: run "git repack -a -d" and remove its alternates`,
    );
  }
  const config = (await readText(join(gitdir, 'config'))) ?? '';
  const extension = /^\s*(?:objectformat\s*=\s*sha256|refstorage\s*=\s*reftable)/im.exec(config)?.[0].trim();
  if (extension !== undefined) throw unavailable(`${path} uses "${extension}", which is not supported`);
}

/** Reads branches of one git directory; keeps packed-refs between calls as long as the file is the same. */
export interface LocalRefs {
  /** null: there is no such branch. @throws SOURCE_UNAVAILABLE for a ref that holds no object id */
  branch(name: string): Promise<Revision | null>;
  /** The same of a full ref name, which was checked. */
  ref(name: string): Promise<Revision | null>;
  /** Full ref name → object of all refs that begin so. */
  list(prefix: string): Promise<ReadonlyMap<string, Revision>>;
  /** Up to `limit` names of branches, for messages. */
  names(limit: number): Promise<string[]>;
}

/** The refs of a git directory. */
export function createLocalRefs(gitdir: string): LocalRefs {
  let packed: { stamp: string; refs: ReadonlyMap<string, Revision> } = { stamp: '', refs: new Map() };

  async function packedRefs(): Promise<ReadonlyMap<string, Revision>> {
    const path = join(gitdir, 'packed-refs');
    const stamp = await stampOf(path);
    if (stamp !== packed.stamp) packed = { stamp, refs: parsePackedRefs((await readText(path)) ?? '') };
    return packed.refs;
  }

  async function resolve(ref: string, symrefs: number): Promise<Revision | null> {
    // Loose before packed: git writes packed-refs first and takes the loose file away after it.
    const loose = (await readText(join(gitdir, ref)))?.trim();
    if (loose === undefined) return (await packedRefs()).get(ref) ?? null;
    if (HEX.test(loose)) return loose;
    const target = /^ref: (refs\/heads\/[^\p{Cc}\s]+)$/u.exec(loose)?.[1];
    if (target === undefined || target.includes('..') || symrefs >= MAX_SYMREFS) {
      throw unavailable(`${ref} holds no object id`);
    }
    return resolve(target, symrefs + 1);
  }

  return {
    branch: (name) => resolve(`refs/heads/${name}`, 0),
    ref: (name) => resolve(name, 0),
    async list(prefix) {
      const folder = prefix.slice(0, prefix.lastIndexOf('/'));
      const loose = await readdir(join(gitdir, folder), { recursive: true, withFileTypes: true }).catch(() => []);
      const files = loose.filter((it) => it.isFile() && !it.name.endsWith('.lock'));
      const names = files.map((it) => relative(gitdir, join(it.parentPath, it.name)));
      const all = new Set([...names, ...(await packedRefs()).keys()].filter((it) => it.startsWith(prefix)));
      const refs = new Map<string, Revision>();
      for (const name of [...all].toSorted()) {
        const revision = await resolve(name, 0);
        if (revision !== null) refs.set(name, revision);
      }
      return refs;
    },
    async names(limit) {
      const loose = await readdir(join(gitdir, 'refs/heads')).catch(() => []);
      const inPack = [...(await packedRefs()).keys()].filter((it) => it.startsWith('refs/heads/'));
      const all = new Set([...loose, ...inPack.map((it) => it.slice('refs/heads/'.length))]);
      return [...all].toSorted().slice(0, limit);
    },
  };
}

/** Ref name → object id of a packed-refs file; lines that are none are skipped. */
export function parsePackedRefs(text: string): ReadonlyMap<string, Revision> {
  const refs = new Map<string, Revision>();
  for (const line of text.split('\n')) {
    const [oid, ref] = line.split(' ', 2);
    if (oid !== undefined && ref !== undefined && HEX.test(oid)) refs.set(ref.trimEnd(), oid);
  }
  return refs;
}

async function stampOf(path: string): Promise<string> {
  const it = await stat(path, { bigint: true }).catch(() => null);
  return it === null ? '' : `${it.ino}:${it.size}:${it.mtimeNs}`;
}

async function kindOf(path: string): Promise<'file' | 'folder' | null> {
  const it = await stat(path).catch(() => null);
  if (it === null) return null;
  return it.isDirectory() ? 'folder' : 'file';
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(code)) return null;
    throw unavailable(`${path} cannot be read (${code})`, error);
  }
}
