/** Whether one revision contains another: a walk over parents, newest side first, to a limit. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Revision } from '../../schemas/names.ts';
import type { Objects } from './objects.ts';

/** A history longer than this that does not show the ancestor is taken not to have it: a person then looks. */
const MAX_COMMITS = 50_000;

/** True when `ancestor` is `descendant` or one of its ancestors. @throws SOURCE_UNAVAILABLE when a commit cannot be read */
export async function contains(args: {
  gitdir: string;
  objects: Objects;
  ancestor: Revision;
  descendant: Revision;
  signal: AbortSignal;
}): Promise<boolean> {
  const ends = await shallowEnds(args.gitdir);
  const seen = new Set<Revision>([args.descendant]);
  const queue: Revision[] = [args.descendant];
  for (let at = 0; at < queue.length && at < MAX_COMMITS; at++) {
    args.signal.throwIfAborted();
    const revision = queue[at] as Revision;
    if (revision === args.ancestor) return true;
    if (ends.has(revision)) continue;
    for (const parent of (await args.objects.commit(revision)).parents) {
      if (!seen.has(parent)) queue.push(parent);
      seen.add(parent);
    }
  }
  return false;
}

/** Commits of a shallow clone whose parents were not fetched. */
async function shallowEnds(gitdir: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(gitdir, 'shallow'), 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((it) => it !== ''));
}
