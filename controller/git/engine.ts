/**
 * The one door to isomorphic-git: raw objects of a git directory, the refs of a remote, one fetch of one
 * ref, packs and merge bases.
 *
 * Its ref reading, checkout and parsing are not used: refs are read in local-refs.ts, objects parsed in
 * parse-objects.ts, and a reference is never believed because a fetch moved it.
 */
import fs from 'node:fs';
import type { HttpClient } from 'isomorphic-git';
import type { Revision } from '../../schemas/names.ts';

/** Loaded when it is first needed: most commands read manifests without git, and loading it takes as long as they do. */
const git = async () => (await import('isomorphic-git')).default;

/** What isomorphic-git keeps between calls: pack indexes and packs. A fresh object forgets all of it. */
export type EngineCache = Record<symbol, unknown>;

/** The whole transport that isomorphic-git needs. */
export type GitHttp = HttpClient;

/** An object as it is stored, its header taken off. */
export interface RawObject {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Reads one loose or packed object. Errors are those of isomorphic-git. */
export async function readRawObject(args: { gitdir: string; oid: string; cache: EngineCache }): Promise<RawObject> {
  const found = await (await git()).readObject({ fs, ...args, format: 'content' });
  const bytes: unknown = found.object;
  if (!(bytes instanceof Uint8Array)) throw new Error(`object ${args.oid} came without content`);
  return { type: found.type ?? 'unknown', bytes };
}

/**
 * Full ref name → object id of the remote's refs that begin with a prefix. Version 1 of the protocol is one request and
 * names all refs; version 2 is two, and the server sends only those.
 */
export async function listRemoteRefs(args: {
  url: string;
  prefix: string;
  protocolVersion: 1 | 2;
  http: GitHttp;
}): Promise<ReadonlyMap<string, Revision>> {
  const refs = await (await git()).listServerRefs(args);
  return new Map(refs.map((it) => [it.ref, it.oid]));
}

/**
 * Brings the objects of one ref into the bare mirror and gives the revision that the server had. What the mirror has is
 * taken from `have` only, a full ref name of the mirror: without a good one each fetch is a full download. null: the
 * server has no such ref.
 */
export async function fetchRef(args: {
  url: string;
  gitdir: string;
  ref: string;
  have: string;
  http: GitHttp;
  cache: EngineCache;
  /** Looks at a pack before it is written and unpacked; throwing refuses it. */
  checkPack: (pack: Buffer) => Promise<void>;
}): Promise<Revision | null> {
  const { ref, have, checkPack, ...rest } = args;
  const { fetch, Errors } = await git();
  const checked = { promises: { ...fs.promises, writeFile: checkedWrite(checkPack) } };
  try {
    const common = { fs: checked, ...rest, remote: 'origin', singleBranch: true, tags: false };
    return (await fetch({ ...common, ref: have, remoteRef: ref })).fetchHead;
  } catch (error) {
    if (error instanceof Errors.NotFoundError && error.data.what === ref) return null;
    throw error;
  }
}

function checkedWrite(check: (pack: Buffer) => Promise<void>): typeof fs.promises.writeFile {
  return async (path, data, options) => {
    if (typeof path === 'string' && path.endsWith('.pack') && data instanceof Uint8Array)
      await check(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    await fs.promises.writeFile(path, data, options);
  };
}

/** The best common ancestors of two commits. */
export async function mergeBases(args: {
  gitdir: string;
  oids: readonly [Revision, Revision];
  cache: EngineCache;
}): Promise<readonly Revision[]> {
  const found: unknown = await (await git()).findMergeBase({ fs, ...args, oids: [...args.oids] });
  return Array.isArray(found) ? found.map(String) : [];
}

/** What a server says before it takes a push. */
export interface PushOffer {
  readonly refs: ReadonlyMap<string, Revision>;
  readonly capabilities: ReadonlySet<string>;
}

/** Asks for the refs as they are now, to push. */
export async function pushOffer(args: { url: string; http: GitHttp }): Promise<PushOffer> {
  const info = await (await git()).getRemoteInfo2({ ...args, forPush: true, protocolVersion: 1 });
  if (info.protocolVersion !== 1) throw new Error('a push was answered by another protocol');
  return {
    refs: new Map((info.refs ?? []).map((it) => [it.ref, it.oid])),
    capabilities: new Set(Object.keys(info.capabilities)),
  };
}

/** A pack of exactly these objects. */
export async function packOf(args: {
  gitdir: string;
  oids: readonly string[];
  cache: EngineCache;
}): Promise<Uint8Array> {
  const { packfile } = await (await git()).packObjects({ fs, ...args, oids: [...args.oids] });
  if (packfile === undefined) throw new Error('no pack was made');
  return packfile;
}
