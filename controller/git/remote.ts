/** A repository behind http(s), through a bare mirror on this machine. */

import pLimit from 'p-limit';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Revision } from '../../schemas/names.ts';
import { createBreath } from './breath.ts';
import { fetchRef, type GitHttp, listRemoteRefs } from './engine.ts';
import { createHttpClient } from './http-client.ts';
import {
  discardMirror,
  ensureMirror,
  keepRef,
  keptRef,
  mirrorPath,
  packCount,
  prepareMirror,
  readKept,
  repackMirror,
} from './mirror.ts';
import { createObjects } from './objects.ts';
import { checkPack } from './pack-limits.ts';
import { oneLine } from './parse-objects.ts';
import type { Origin, RepositoryLimits } from './repository.ts';
import { noSuchBranch, unavailable, withDeadline } from './unavailable.ts';

export interface RemoteArgs {
  readonly url: string;
  readonly name: string;
  readonly branch: string;
  readonly mirrorDir: string;
  readonly token: (() => Promise<string>) | undefined;
  readonly limits: RepositoryLimits;
  readonly log: Logger;
}

/** For what is not the tracked branch. */
const STRANGERS = { objectBytes: 64 * 2 ** 20, totalBytes: 256 * 2 ** 20 };

const SAFE_WITH_TOKEN = /^https:|^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/)/i;

/** Reads the remote by one ref listing a call of `tip`, and a fetch when the branch moved. */
export function openRemote(args: RemoteArgs): Origin {
  const { url, name, limits } = args;
  const gitdir = mirrorPath(args.mirrorDir, url);
  if (args.token !== undefined && !SAFE_WITH_TOKEN.test(url)) {
    args.log.warn({ repository: name }, 'the token travels unencrypted: use an https:// address');
  }
  const oneAtATime = pLimit(1);
  let damaged = false;
  let believed: Revision | null = null;
  const objects = createObjects({
    gitdir,
    cacheBytes: limits.blobCacheBytes,
    onUnreadable: () => {
      damaged = true;
    },
  });

  async function request<T>(
    signal: AbortSignal,
    timeoutMs: number,
    run: (http: GitHttp, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const late = `${name} did not answer within ${timeoutMs / 1000} s`;
    const token = args.token === undefined ? null : await args.token();
    return withDeadline({ signal, timeoutMs, late }, async (own) => {
      const http = createHttpClient({ url, name, token, signal: own, maxResponseBytes: limits.maxResponseBytes });
      return await run(http, own).catch((error: unknown) => {
        throw error instanceof SlipwayError
          ? error
          : unavailable(`${name} answered something that git does not`, error);
      });
    });
  }

  async function listed(signal: AbortSignal): Promise<Revision> {
    const branches = await request(signal, limits.listTimeoutMs, (http) =>
      listRemoteRefs({ url, http, prefix: 'refs/heads/', protocolVersion: 1 }),
    );
    const revision = branches.get(`refs/heads/${args.branch}`);
    if (revision !== undefined) return revision;
    const others = [...branches.keys()].slice(0, 6).map((it) => oneLine(it.slice('refs/heads/'.length)));
    throw unavailable(noSuchBranch(name, args.branch, others));
  }

  const trackedRef = `refs/heads/${args.branch}`;
  const trackingRef = `refs/remotes/origin/${args.branch}`;

  /** The ref's objects are in the mirror; gives the revision that the server had by then, null: none. Fetches wait for each other. */
  async function fetched(ref: string, signal: AbortSignal): Promise<Revision | null> {
    return await oneAtATime(async () => {
      signal.throwIfAborted();
      if (damaged) {
        args.log.warn({ repository: name }, 'the mirror is damaged and made anew');
        await discardMirror(gitdir);
      }
      await ensureMirror(gitdir);
      const kept = ref === trackedRef ? null : await readKept(gitdir, ref);
      const have = kept !== null && (await objects.has(kept)) ? keptRef(ref) : trackingRef;
      const cache = objects.engineCache();
      const revision = await request(signal, limits.fetchTimeoutMs, (http, own) =>
        fetchRef({
          url,
          gitdir,
          ref,
          have,
          http,
          cache,
          // Whoever may write to the tracked branch is trusted; anybody can open a pull request.
          checkPack: async (pack) =>
            ref === trackedRef ? undefined : await checkPack(pack, STRANGERS, createBreath(own)),
        }),
      );
      damaged = false;
      if (revision === null) return null;
      if (ref !== trackedRef) await keepRef(gitdir, ref, revision);
      await repackIfMany(signal);
      return revision;
    });
  }

  /** Believes a revision once its commit and root tree were read. */
  async function brought(ref: string, revision: Revision, signal: AbortSignal): Promise<Revision> {
    const present = !damaged && (await objects.has(revision));
    const candidate = present ? revision : await fetched(ref, signal);
    if (candidate === null) throw unavailable(noSuchBranch(name, args.branch, []));
    await objects.tree((await objects.commit(candidate)).tree);
    return candidate;
  }

  /** The ref is as it is expected, and readable here; false: it is to be asked for. */
  async function isAsExpected(ref: string, expected: Revision, signal: AbortSignal): Promise<boolean> {
    const there = !damaged && (await readKept(gitdir, ref)) === expected && (await objects.has(expected));
    if (!there && (await fetched(ref, signal)) !== expected) return false;
    await objects.tree((await objects.commit(expected)).tree);
    return true;
  }

  async function repackIfMany(signal: AbortSignal): Promise<void> {
    if ((await packCount(gitdir)) < limits.maxPacks) return;
    await repackMirror(gitdir, signal).catch((error: unknown) => {
      args.log.warn({ repository: name, error }, 'the mirror could not be repacked; reading it gets slower');
    });
  }

  return {
    gitdir: async () => gitdir,
    objects: async () => objects,
    prepare: () => prepareMirror(gitdir),
    watchPaths: async () => [],
    async ref(ref, signal, expected) {
      if (expected !== undefined && (await isAsExpected(ref, expected, signal))) return expected;
      const refs = await request(signal, limits.listTimeoutMs, (http) =>
        listRemoteRefs({ url, http, prefix: ref, protocolVersion: 2 }),
      );
      const revision = refs.get(ref);
      return revision === undefined ? null : await brought(ref, revision, signal);
    },
    refs: (prefix, signal) =>
      request(signal, limits.listTimeoutMs, (http) => listRemoteRefs({ url, http, prefix, protocolVersion: 2 })),
    async send(signal, run) {
      await prepareMirror(gitdir);
      return await request(signal, limits.fetchTimeoutMs, (http, own) => run({ url, http }, own));
    },
    async tip(signal) {
      const revision = await listed(signal);
      if (revision === believed && !damaged) return revision;
      believed = null;
      const candidate = await brought(trackedRef, revision, signal);
      believed = candidate;
      return candidate;
    },
  };
}
