/** The workshop over a way to reach a repository: fetches, merges, new objects and pushes. */
import { commitBytes } from './commit-text.ts';
import { type Entry, editTree } from './edit-tree.ts';
import { mergeBases } from './engine.ts';
import { checkRef } from './location.ts';
import { createLooseObjects } from './loose-objects.ts';
import { mergeRevisions } from './merge.ts';
import { pushRef } from './push.ts';
import type { Origin } from './repository.ts';
import { unavailable } from './unavailable.ts';
import type { Workshop } from './workshop.ts';

/** Makes things in the repository behind `origin`; a mirror is made when the first object is written. */
export function createWorkshop(args: {
  readonly origin: Origin;
  readonly name: string;
  readonly branch: string;
}): Workshop {
  const { origin } = args;

  async function writers() {
    await origin.prepare();
    return { objects: await origin.objects(), loose: createLooseObjects(await origin.gitdir()) };
  }

  return {
    fetchRef: async (ref, signal, expected) => await origin.ref(checkRef(ref), signal, expected),
    async listRefs(prefix, signal) {
      if (!/^refs\/(?:[^\p{Cc}\s~^:?*[\\.]|\.(?!\.))*$/u.test(prefix)) throw new Error(`${prefix} begins no ref`);
      return await origin.refs(prefix, signal);
    },
    async merge(revisions, signal) {
      const gitdir = await origin.gitdir();
      const tools = await writers();
      return await mergeRevisions(
        {
          ...tools,
          mergeBases: (ours, theirs) =>
            mergeBases({ gitdir, cache: tools.objects.engineCache(), oids: [ours, theirs] }).catch((error: unknown) => {
              throw unavailable(`The history of ${args.name} cannot be read: an object is missing or damaged`, error);
            }),
        },
        revisions,
        signal,
      );
    },
    async writeTree(base, files) {
      const tools = await writers();
      const tree = base === null ? null : (await tools.objects.commit(base)).tree;
      const edits = new Map<string, Entry | null>();
      for (const [path, bytes] of files) {
        const key = Buffer.from(checkPath(path), 'utf8').toString('latin1');
        edits.set(key, bytes === null ? null : { mode: '100644', oid: await tools.loose.write('blob', bytes) });
      }
      const edited = await editTree(tools, tree, edits);
      if ('oid' in edited) return edited.oid;
      throw unavailable(
        `A file cannot be written where a folder is, or the other way round: ${edited.clashes.join(', ')}`,
      );
    },
    async writeCommit({ sign, ...text }) {
      const { loose } = await writers();
      const signature = sign === undefined ? null : await sign(commitBytes(text));
      return await loose.write('commit', commitBytes(text, signature));
    },
    async rawCommit(revision) {
      const objects = await origin.objects();
      if (!(await objects.has(revision))) throw unavailable(`The commit ${revision} is not here`);
      return await objects.rawCommit(revision);
    },
    async push(move, signal) {
      checkRef(move.ref);
      return await origin.send(signal, async (server, own) =>
        pushRef(
          {
            ...server,
            name: args.name,
            branch: args.branch,
            gitdir: await origin.gitdir(),
            objects: await origin.objects(),
          },
          move,
          own,
        ),
      );
    },
  };
}

/** A path that we made ourselves; a wrong one is a bug. */
function checkPath(path: string): string {
  const bad = path.split('/').some((it) => it === '' || it === '.' || it === '..' || /^\.git$/i.test(it));
  if (bad || path.includes('\0')) throw new Error(`${JSON.stringify(path)} is no path of a tree`);
  return path;
}
