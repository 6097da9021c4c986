/** Comments: reading them, our one sticky comment a marker, and reactions. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CommentRef, ForgeUser, PullComment, PullNumber } from '../../../schemas/forge.ts';
import { CommentAnswer, commentOf, pullNumberOf } from './answers.ts';
import type { Call } from './client.ts';
import { ensureMade } from './ensure-made.ts';
import { isMissing } from './failures.ts';

const ONE = '/repos/{owner}/{repo}/issues/comments/{comment_id}';
const OF_PULL = '/repos/{owner}/{repo}/issues/{issue_number}/comments';

export async function getComment(call: Call, id: number): Promise<PullComment | null> {
  const answer = await call.get(CommentAnswer, `GET ${ONE}`, { comment_id: id });
  return answer === null ? null : commentOf(answer);
}

/** Oldest change first. */
export async function listComments(call: Call, since: string): Promise<PullComment[]> {
  // Newest first: one that changes while pages are read moves ahead of them, and nothing falls between two pages.
  const params = { since, sort: 'updated', direction: 'desc' };
  const answers = await call.list(z.array(CommentAnswer), 'GET /repos/{owner}/{repo}/issues/comments', params);
  const found = new Map<number, PullComment>();
  for (const answer of answers) {
    const comment = commentOf(answer);
    if (comment !== null && !found.has(comment.id)) found.set(comment.id, comment);
  }
  const time = ({ updatedAt, id }: PullComment) => [Date.parse(updatedAt), id] as const;
  return [...found.values()].toSorted((a, b) => time(a)[0] - time(b)[0] || time(a)[1] - time(b)[1]);
}

export interface EnsureCommentArgs {
  readonly pull: PullNumber;
  readonly marker: string;
  readonly body: string;
  readonly known: CommentRef | null;
}

/** How often a comment that is deleted under our hands is made again. */
const MAX_TRIES = 3;

/** See the port. `us`: whose comments are ours. */
export async function ensureComment(call: Call, us: ForgeUser, args: EnsureCommentArgs): Promise<CommentRef> {
  let known = args.known === null ? null : await knownOne(call, us, args, args.known.id);
  for (let tries = 1; ; tries++) {
    const comment = known ?? (await foundOrMade(call, us, args));
    if (same(comment.body ?? '', args.body)) return refOf(comment, args.body);
    try {
      const params = { comment_id: comment.id, body: args.body };
      return refOf(await call.send(CommentAnswer, `PATCH ${ONE}`, params, { again: true }), args.body);
    } catch (error) {
      // Somebody deleted it between our looking and our writing.
      if (!isMissing(error) || tries === MAX_TRIES) throw error;
      known = null;
    }
  }
}

/** The stored one, when it is still there and ours; what it says does not matter, for a maintainer may have edited it. */
async function knownOne(call: Call, us: ForgeUser, { pull }: EnsureCommentArgs, id: number) {
  const comment = await call.get(CommentAnswer, `GET ${ONE}`, { comment_id: id });
  return comment !== null && comment.user?.id === us.id && pullNumberOf(comment) === pull ? comment : null;
}

async function foundOrMade(call: Call, us: ForgeUser, args: EnsureCommentArgs): Promise<CommentAnswer> {
  const find = () => onlyOne(call, us, args);
  let sent = false;
  const comment = await ensureMade({
    find,
    make: async () => {
      sent = true;
      return await call.send(CommentAnswer, `POST ${OF_PULL}`, { issue_number: args.pull, body: args.body });
    },
    pause: () => call.pause(),
  });
  // Another controller may have made one at the same moment, and the first of two that were sent may come through late.
  return sent ? ((await find()) ?? comment) : comment;
}

/** Our oldest comment that begins with the marker; later ones, from a race, are deleted. */
async function onlyOne(call: Call, us: ForgeUser, { pull, marker }: EnsureCommentArgs): Promise<CommentAnswer | null> {
  const all = await call.list(z.array(CommentAnswer), `GET ${OF_PULL}`, { issue_number: pull });
  const ours = all.filter((it) => it.user?.id === us.id && (it.body ?? '').startsWith(marker));
  const [oldest, ...later] = ours.toSorted((a, b) => a.id - b.id);
  for (const { id } of later) {
    await call.send(z.unknown(), `DELETE ${ONE}`, { comment_id: id }, { again: true }).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
  return oldest ?? null;
}

/** GitHub may change line ends and what follows the last word. */
function same(there: string, wanted: string): boolean {
  const plain = (text: string) => text.replaceAll('\r\n', '\n').trimEnd();
  return plain(there) === plain(wanted);
}

function refOf({ id, html_url: url }: CommentAnswer, body: string): CommentRef {
  return { id, url, bodyDigest: createHash('sha256').update(body).digest('hex') };
}

const REACTIONS = { seen: 'eyes', done: 'rocket', failed: 'confused' } as const;

/** A second reaction of the same kind is the first one. One to a comment that is gone is not missed. */
export async function react(call: Call, comment: number, reaction: keyof typeof REACTIONS): Promise<void> {
  const params = { comment_id: comment, content: REACTIONS[reaction] };
  try {
    await call.send(z.unknown(), `POST ${ONE}/reactions`, params, { lane: 'commands', again: true });
  } catch (error) {
    if (!isMissing(error) || (await getComment(call, comment)) !== null) throw error;
  }
}
