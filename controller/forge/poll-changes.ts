/** What is new in what a poll found. Pure. */
import { z } from 'zod';
import { digestOf } from '../../schemas/canonical.ts';
import type { ForgeUser, Pull, PullComment, PullNumber } from '../../schemas/forge.ts';

/** What the last poll saw of pull requests, as digests: two changes within one second have one `updatedAt`. */
export type SeenPulls = ReadonlyMap<PullNumber, string>;

/** Those that changed, and what to compare with next time. `since`: the newest change there is; null: none. */
export function changedPulls(
  seen: SeenPulls,
  pulls: readonly Pull[],
): { readonly changed: readonly Pull[]; readonly seen: SeenPulls; readonly since: string | null } {
  return {
    changed: pulls.filter((it) => seen.get(it.number) !== digestOf(it)),
    seen: new Map(pulls.map((it) => [it.number, digestOf(it)])),
    since: newest(pulls.map((it) => it.updatedAt)),
  };
}

/** How far comments were handed over: those created before `since`, and of later ones those that are listed. */
export const CommentCursor = z.object({ since: z.iso.datetime(), handed: z.array(z.int()) });
export type CommentCursor = z.infer<typeof CommentCursor>;

/** A comment may be listed a little after one that is newer. */
const OVERLAP_MS = 60_000;

/** Comments to hand over, and the cursor once they are. Our own and those of bots are no commands, nor are old ones that were edited. */
export function newComments(
  cursor: CommentCursor,
  comments: readonly PullComment[],
  us: Pick<ForgeUser, 'id'>,
): { readonly fresh: readonly PullComment[]; readonly next: CommentCursor } {
  const handed = new Set(cursor.handed);
  const young = comments.filter((it) => Date.parse(it.createdAt) >= Date.parse(cursor.since));
  const fresh = young.filter((it) => !handed.has(it.id) && it.author.id !== us.id && !it.author.bot);
  const last = newest(young.map((it) => it.createdAt));
  const sinceMs = Math.max(Date.parse(cursor.since), last === null ? 0 : Date.parse(last) - OVERLAP_MS);
  // What was handed over before and is not listed any more was deleted.
  const kept = young.filter((it) => Date.parse(it.createdAt) >= sinceMs).map((it) => it.id);
  return { fresh, next: { since: new Date(sinceMs).toISOString(), handed: kept } };
}

function newest(moments: readonly string[]): string | null {
  return moments.reduce<string | null>(
    (last, it) => (last === null || Date.parse(it) > Date.parse(last) ? it : last),
    null,
  );
}
