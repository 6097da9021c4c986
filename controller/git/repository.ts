/**
 * One branch of one git repository to read, and a workshop beside it: the only way by which git reaches the rest of the
 * house, and the rest of the house git.
 *
 * A revision that `tip` gives was believed only once its commit and root tree were read. Everything throws
 * SOURCE_UNAVAILABLE with a message that is safe to show.
 */
import type { Logger } from '../../schemas/logger.ts';
import type { Revision } from '../../schemas/names.ts';
import type { GitHttp } from './engine.ts';
import { contains } from './history.ts';
import { openLocal } from './local.ts';
import { checkBranch, parseLocation } from './location.ts';
import { createWorkshop } from './make.ts';
import type { ObjectStore } from './objects.ts';
import type { Commit } from './parse-objects.ts';
import { openRemote } from './remote.ts';
import { type FoundFiles, findPath, listFiles, type TreeEntry } from './tree-walk.ts';
import type { Workshop } from './workshop.ts';

/** Read access to the tracked branch. */
export interface Repository {
  readonly kind: 'local' | 'remote';
  /** For people: a path, or host and path. Never credentials. */
  readonly name: string;
  readonly branch: string;
  /** Paths whose change may mean a new commit. Empty for a remote one. */
  watchPaths(): Promise<readonly string[]>;
  /** The branch's revision now. Remote: one ref listing, and a fetch when it moved. */
  tip(signal: AbortSignal): Promise<Revision>;
  /** What lies at a path of the revision's tree ('' is the root); null: nothing. */
  find(revision: Revision, path: string): Promise<TreeEntry | null>;
  /** Everything below a tree, symbolic links and submodules too, by path relative to it; stops at `maxFiles`. */
  list(treeOid: string, maxFiles: number, signal: AbortSignal): Promise<FoundFiles>;
  /** null: larger than `maxBytes`; then it was not loaded. */
  readBlob(oid: string, maxBytes: number): Promise<Uint8Array | null>;
  /** True when `ancestor` is `descendant` or lies in its history. */
  contains(ancestor: Revision, descendant: Revision, signal: AbortSignal): Promise<boolean>;
  commitInfo(revision: Revision): Promise<Commit>;
}

/** A repository, and what can be made in it. */
export type OpenRepository = Repository & Workshop;

/** What is particular about a way to reach a repository. */
export interface Origin {
  gitdir(): Promise<string>;
  objects(): Promise<ObjectStore>;
  tip(signal: AbortSignal): Promise<Revision>;
  watchPaths(): Promise<readonly string[]>;
  /** A full ref name's revision, readable here; null: there is none. `expected`: what it is most probably. */
  ref(ref: string, signal: AbortSignal, expected?: Revision): Promise<Revision | null>;
  refs(prefix: string, signal: AbortSignal): Promise<ReadonlyMap<string, Revision>>;
  /** The git directory is there, so that objects can be written. */
  prepare(): Promise<void>;
  /** `run` gets a transport that takes pushes, and a signal that ends with the time a push may take. */
  send<T>(signal: AbortSignal, run: (server: GitServer, signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Where a push goes. */
interface GitServer {
  readonly url: string;
  readonly http: GitHttp;
}

export interface RepositoryLimits {
  /** One ref listing, from the first byte sent to the last one read. */
  readonly listTimeoutMs: number;
  readonly fetchTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly blobCacheBytes: number;
  /** From this many packs on a mirror is repacked. */
  readonly maxPacks: number;
}

const DEFAULT_LIMITS: RepositoryLimits = {
  listTimeoutMs: 20_000,
  fetchTimeoutMs: 300_000,
  maxResponseBytes: 512 * 2 ** 20,
  blobCacheBytes: 64 * 2 ** 20,
  maxPacks: 200,
};

export interface OpenArgs {
  /** A folder, or an http(s) address without credentials. */
  readonly location: string;
  readonly branch: string;
  /** Folder for mirrors of remotes; made when needed. */
  readonly mirrorDir: string;
  /** Asked before every operation, because tokens of forges expire. */
  readonly token?: () => Promise<string>;
  readonly log: Logger;
  readonly limits?: Partial<RepositoryLimits>;
}

/** A repository; nothing is read yet. @throws USAGE when location or branch are refused */
export function openRepository(args: OpenArgs): OpenRepository {
  const location = parseLocation(args.location);
  const branch = checkBranch(args.branch);
  const limits = { ...DEFAULT_LIMITS, ...args.limits };
  const rest = { branch, limits, log: args.log };
  const origin: Origin =
    location.kind === 'local'
      ? openLocal({ ...rest, path: location.path })
      : openRemote({ ...rest, url: location.url, name: location.name, mirrorDir: args.mirrorDir, token: args.token });
  return {
    ...createWorkshop({ origin, name: location.name, branch }),
    kind: location.kind,
    name: location.name,
    branch,
    watchPaths: () => origin.watchPaths(),
    tip: (signal) => origin.tip(signal),
    find: async (revision, path) => findPath(await origin.objects(), revision, path),
    list: async (treeOid, maxFiles, signal) => listFiles(await origin.objects(), treeOid, maxFiles, signal),
    readBlob: async (oid, maxBytes) => (await origin.objects()).blob(oid, maxBytes),
    contains: async (ancestor, descendant, signal) =>
      contains({ gitdir: await origin.gitdir(), objects: await origin.objects(), ancestor, descendant, signal }),
    commitInfo: async (revision) => (await origin.objects()).commit(revision),
  };
}
