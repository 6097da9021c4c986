/** What a forge (GitHub) says, as far as we use it. Everything in it is a stranger's text until somebody escaped it. */
import { z } from 'zod';
import { NamespaceName, Revision } from './names.ts';

/** Number of a pull request in its repository. */
export const PullNumber = z.int().min(1);
export type PullNumber = z.infer<typeof PullNumber>;

/** A user of the forge; `id` stays when the login is renamed. */
export const ForgeUser = z.strictObject({ id: z.int(), login: z.string(), bot: z.boolean() });
export type ForgeUser = z.infer<typeof ForgeUser>;

/** What a user may do with the fleet repository, least first. */
export const PERMISSIONS = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export const Permission = z.enum(PERMISSIONS);
export type Permission = z.infer<typeof Permission>;

/** A pull request as the API says it is now. */
export const Pull = z.strictObject({
  number: PullNumber,
  state: z.enum(['open', 'closed', 'merged']),
  draft: z.boolean(),
  title: z.string(),
  author: ForgeUser,
  /** `repositoryId` null: the head repository is gone. */
  head: z.strictObject({ branch: z.string(), revision: Revision, repositoryId: z.int().nullable() }),
  base: z.strictObject({ branch: z.string(), revision: Revision, repositoryId: z.int() }),
  labels: z.array(z.string()),
  /** The commit by which it was merged: a merge, a squash or the last one of a rebase. */
  mergeCommit: Revision.nullable(),
  updatedAt: z.iso.datetime(),
});
export type Pull = z.infer<typeof Pull>;

/** Whether its head lies in another repository, or in one that is gone: by id, because a fork may have any name. */
export function isFork({ head, base }: Pick<Pull, 'head' | 'base'>): boolean {
  return head.repositoryId !== base.repositoryId;
}

/** A comment on a pull request, as the API says it is now. */
export const PullComment = z.strictObject({
  id: z.int(),
  pull: PullNumber,
  author: ForgeUser,
  body: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type PullComment = z.infer<typeof PullComment>;

/** Where a comment of ours is, and sha256 of the body it was given last. */
export const CommentRef = z.strictObject({ id: z.int(), url: z.string(), bodyDigest: z.string() });
export type CommentRef = z.infer<typeof CommentRef>;

export const StatusState = z.enum(['pending', 'success', 'failure', 'error']);
export type StatusState = z.infer<typeof StatusState>;

/** What may have changed; a hint only: whoever gets one reads the rest from the API and from git. */
export const Hint = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('push') }),
  z.strictObject({ kind: z.literal('pull'), number: PullNumber }),
  /** A comment was created; `id` is looked up, its text is never taken from the delivery. */
  z.strictObject({ kind: z.literal('comment'), number: PullNumber, id: z.int() }),
  /** Anything may have changed: all open pull requests are looked at. */
  z.strictObject({ kind: z.literal('all') }),
]);
export type Hint = z.infer<typeof Hint>;

/** One plan that a comment showed. */
export const ShownPlan = z.strictObject({
  plan: z.string(),
  head: Revision,
  base: Revision,
  release: z.int().nullable(),
  verdict: z.string(),
  at: z.iso.datetime(),
});
export type ShownPlan = z.infer<typeof ShownPlan>;

/** The result of the last command, shown in the comment. */
export const CommandResult = z.strictObject({
  by: z.string(),
  command: z.string(),
  ok: z.boolean(),
  text: z.string(),
  at: z.iso.datetime(),
});
export type CommandResult = z.infer<typeof CommandResult>;

/** What is remembered of a pull request; key: its number. All of it can be made again, but the history of plans. */
export const PullRecord = z.strictObject({
  number: PullNumber,
  author: ForgeUser,
  /** Ids of those who had us open it (`/slipway promote`): they are no less its authors. */
  askedBy: z.array(z.int()).optional(),
  /** `done`: closed, or merged and followed to the end; nothing is looked at any more until it is opened again. */
  state: z.enum(['open', 'merged', 'closed', 'done']),
  head: Revision,
  mergeCommit: Revision.nullable(),
  namespaces: z.record(
    NamespaceName,
    z.strictObject({
      comment: CommentRef.nullable(),
      /** sha256 of what the status said last, by what it was said of; null: nothing yet. */
      status: z.string().nullable(),
      /** Newest last, at most 10. */
      plans: z.array(ShownPlan),
      /** What the merge result says of it; how the deploy after the merge is found. Null: the namespace is removed. */
      desiredDigest: z.string().nullable(),
    }),
  ),
  /** The head of a fork's pull request that somebody let be previewed; null: none. */
  allowedHead: Revision.nullable(),
  /** `/slipway destroy`: no preview until somebody asks for one again. */
  previewStopped: z.boolean(),
  command: CommandResult.nullable(),
  /** When its head last moved, for the time to live of its preview. */
  pushedAt: z.iso.datetime(),
});
export type PullRecord = z.infer<typeof PullRecord>;
