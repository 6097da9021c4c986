/**
 * Objects of one git directory that others may be changing: git repacks and prunes beside us, so every read that fails
 * is tried once more with everything forgotten, and only then is a failure.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../../schemas/names.ts';
import { createBlobCache } from './blob-cache.ts';
import { type EngineCache, type RawObject, readRawObject } from './engine.ts';
import { createObjectSizes } from './object-size.ts';
import { type Commit, parseCommit, parseTree, type TreeLine } from './parse-objects.ts';
import { unavailable } from './unavailable.ts';

/** Read access to the objects of a git directory. All of it throws SOURCE_UNAVAILABLE. */
export interface Objects {
  commit(revision: Revision): Promise<Commit>;
  /** Names as text, or (`latin1`) each byte of them as one character. */
  tree(oid: string, names?: 'utf8' | 'latin1'): Promise<readonly TreeLine[]>;
  /** The bytes of a commit as they are stored. */
  rawCommit(revision: Revision): Promise<Uint8Array>;
  /** null: larger than `maxBytes`; then it was not loaded. */
  blob(oid: string, maxBytes: number): Promise<Uint8Array | null>;
  /** The object is there and whole. */
  has(oid: string): Promise<boolean>;
}

/** The same, and what the engine keeps between calls. */
export interface ObjectStore extends Objects {
  engineCache(): EngineCache;
}

export interface ObjectsArgs {
  readonly gitdir: string;
  readonly cacheBytes: number;
  /** An object could not be read, also not the second time. */
  readonly onUnreadable: (oid: string) => void;
}

/** Reads objects below `gitdir`. */
export function createObjects(args: ObjectsArgs): ObjectStore {
  const { gitdir } = args;
  const blobs = createBlobCache(args.cacheBytes);
  const sizes = createObjectSizes(gitdir);
  let cache: EngineCache = {};
  let packs: ReadonlySet<string> = new Set();

  function forget(): void {
    cache = {};
    sizes.forget();
  }

  /** Packs that are gone would stay in memory for ever. */
  async function forgetGonePacks(): Promise<void> {
    const now = new Set(await readdir(join(gitdir, 'objects/pack')).catch(() => []));
    if ([...packs].some((it) => !now.has(it))) forget();
    packs = now;
  }

  async function read(oid: string): Promise<RawObject> {
    try {
      return await readRawObject({ gitdir, oid, cache });
    } catch {
      forget();
      return await readRawObject({ gitdir, oid, cache });
    }
  }

  async function typed(oid: string, type: string): Promise<Uint8Array> {
    const found = await read(oid).catch((error: unknown) => {
      args.onUnreadable(oid);
      throw unavailable(`The ${type} ${oid} cannot be read: it is missing or damaged`, error);
    });
    if (found.type !== type) throw unavailable(`The object ${oid} is a ${found.type} where a ${type} was expected`);
    return found.bytes;
  }

  return {
    async commit(revision) {
      await forgetGonePacks();
      const commit = parseCommit(await typed(revision, 'commit'));
      if (commit === null) throw unavailable(`The commit ${revision} is malformed`);
      return commit;
    },
    rawCommit: async (revision) => new Uint8Array(await typed(revision, 'commit')),
    async tree(oid, names) {
      const lines = parseTree(await typed(oid, 'tree'), names);
      if (lines === null) throw unavailable(`The tree ${oid} is malformed`);
      return lines;
    },
    async blob(oid, maxBytes) {
      const known = blobs.get(oid);
      if (known !== undefined) return known.byteLength > maxBytes ? null : known;
      const size = await sizes.sizeBytes(oid);
      if (size !== null && size > maxBytes) return null;
      const bytes = await typed(oid, 'blob');
      if (bytes.byteLength > maxBytes) return null;
      // A view would keep the whole pack that it was cut from alive.
      const own = new Uint8Array(bytes);
      blobs.set(oid, own);
      return own;
    },
    has: (oid) =>
      read(oid).then(
        () => true,
        () => false,
      ),
    engineCache: () => cache,
  };
}
