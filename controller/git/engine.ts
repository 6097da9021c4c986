/**
 * The one door to isomorphic-git: raw objects of a git directory, the branches of a remote, one fetch of one branch.
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

/** Full ref name → object id of every branch of the remote. One request (protocol version 1). */
export async function listBranches(args: { url: string; http: GitHttp }): Promise<ReadonlyMap<string, Revision>> {
  const refs = await (await git()).listServerRefs({ ...args, protocolVersion: 1, prefix: 'refs/heads/' });
  return new Map(refs.map((it) => [it.ref, it.oid]));
}

/**
 * Brings the objects of one branch into the bare mirror and gives the revision that the server had. What the mirror has
 * is taken from the tracking ref of this branch only: any other `ref` makes each fetch a full download.
 */
export async function fetchBranch(args: {
  url: string;
  gitdir: string;
  branch: string;
  http: GitHttp;
  cache: EngineCache;
}): Promise<Revision | null> {
  const { branch, ...rest } = args;
  const result = await (await git()).fetch({
    fs,
    ...rest,
    remote: 'origin',
    ref: `refs/remotes/origin/${branch}`,
    remoteRef: `refs/heads/${branch}`,
    singleBranch: true,
    tags: false,
  });
  return result.fetchHead;
}
