/** A repository on this machine, bare or with a work tree: refs by its files, objects from its own database. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/names.ts';
import { LOCAL_URL, localTransport } from './local-push.ts';
import { createLocalRefs, findGitdir, type LocalRefs } from './local-refs.ts';
import { createObjects, type ObjectStore } from './objects.ts';
import type { Origin, RepositoryLimits } from './repository.ts';
import { noSuchBranch, unavailable, withDeadline } from './unavailable.ts';

/** Some programs write refs in place; a moment later the ref is whole. */
const TORN_REF_MS = 20;

interface Found {
  readonly gitdir: string;
  readonly refs: LocalRefs;
  readonly objects: ObjectStore;
}

/** Reads the repository in `path`; it may come, go and come back as another one. */
export function openLocal(args: { path: string; branch: string; limits: RepositoryLimits }): Origin {
  let found: Found | null = null;
  let believed: Revision | null = null;

  async function look(): Promise<Found> {
    if (found !== null) return found;
    const gitdir = await findGitdir(args.path);
    const objects = createObjects({ gitdir, cacheBytes: args.limits.blobCacheBytes, onUnreadable() {} });
    found = { gitdir, objects, refs: createLocalRefs(gitdir) };
    return found;
  }

  async function branch(): Promise<Revision> {
    const { refs } = await look();
    const revision = await refs.branch(args.branch).catch(async (error: unknown) => {
      if (!isSlipwayError(error)) throw error;
      await sleep(TORN_REF_MS);
      return await refs.branch(args.branch);
    });
    if (revision !== null) return revision;
    // Perhaps the repository is gone altogether: then that is the reason to name.
    await findGitdir(args.path);
    throw unavailable(noSuchBranch(args.path, args.branch, await refs.names(6)));
  }

  return {
    gitdir: async () => (await look()).gitdir,
    objects: async () => (await look()).objects,
    prepare: async () => void (await look()),
    async ref(name, signal) {
      signal.throwIfAborted();
      const { refs, objects } = await look();
      const revision = await refs.ref(name);
      if (revision !== null) await objects.tree((await objects.commit(revision)).tree);
      return revision;
    },
    async refs(prefix, signal) {
      signal.throwIfAborted();
      return await (await look()).refs.list(prefix);
    },
    async send(signal, run) {
      const late = `${args.path} did not take a push within ${args.limits.fetchTimeoutMs / 1000} s`;
      return await withDeadline({ signal, timeoutMs: args.limits.fetchTimeoutMs, late }, (own) =>
        run({ url: LOCAL_URL, http: localTransport({ path: args.path, signal: own }) }, own),
      );
    },
    async watchPaths() {
      const { gitdir } = await look();
      return ['HEAD', 'packed-refs', 'refs/heads'].map((it) => join(gitdir, it));
    },
    async tip(signal) {
      signal.throwIfAborted();
      try {
        const revision = await branch();
        if (revision === believed) return revision;
        const { objects } = await look();
        await objects.tree((await objects.commit(revision)).tree);
        believed = revision;
        return revision;
      } catch (error) {
        found = null;
        believed = null;
        throw error;
      }
    },
  };
}
