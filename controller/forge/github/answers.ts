/**
 * GitHub's answers: the few fields that we use, and the records made of them. Lenient: what is not used is not looked at
 * (of GitHub's own examples, half fail its own schema). Pure.
 */
import { z } from 'zod';
import type { ForgeUser, Permission, Pull, PullComment } from '../../../schemas/forge.ts';
import { Revision } from '../../../schemas/names.ts';
import { cut } from './texts.ts';

/** GitHub shows this one for accounts that are gone. */
const GHOST: ForgeUser = { id: 10_137, login: 'ghost', bot: false };

const TITLE_CHARACTERS = 300;
const LOGIN_CHARACTERS = 100;

export const UserAnswer = z.object({ id: z.int(), login: z.string().min(1), type: z.string().nullish() });

export const RepositoryAnswer = z.object({ id: z.int(), html_url: z.string() });

/** Of lists and of single ones alike. */
export const PullAnswer = z.object({
  number: z.int().min(1),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  title: z.string(),
  body: z.string().nullish(),
  user: UserAnswer.nullish(),
  head: z.object({ ref: z.string(), sha: Revision, repo: z.object({ id: z.int() }).nullish() }),
  base: z.object({ ref: z.string(), sha: Revision, repo: z.object({ id: z.int() }) }),
  labels: z.array(z.object({ name: z.string().nullish() })).nullish(),
  merge_commit_sha: z.string().nullish(),
  merged_at: z.string().nullish(),
  updated_at: z.iso.datetime({ offset: true }),
});
export type PullAnswer = z.infer<typeof PullAnswer>;

export const CommentAnswer = z.object({
  id: z.int(),
  body: z.string().nullish(),
  user: UserAnswer.nullish(),
  html_url: z.string(),
  created_at: z.iso.datetime({ offset: true }),
  updated_at: z.iso.datetime({ offset: true }),
});
export type CommentAnswer = z.infer<typeof CommentAnswer>;

/** Newest deployments first, as GitHub lists them. */
export const DeploymentAnswer = z.object({ id: z.int(), sha: z.string(), environment: z.string() });
export type DeploymentAnswer = z.infer<typeof DeploymentAnswer>;

export const ReviewAnswer = z.object({ id: z.int(), user: UserAnswer.nullish(), state: z.string() });
export type ReviewAnswer = z.infer<typeof ReviewAnswer>;

export const PermissionAnswer = z.object({
  permission: z.string(),
  role_name: z.string().nullish(),
  user: UserAnswer.nullish(),
});

/** A user; an account that is gone is GitHub's ghost. */
export function userOf(answer: z.infer<typeof UserAnswer> | null | undefined): ForgeUser {
  if (answer === null || answer === undefined) return GHOST;
  return { id: answer.id, login: cut(answer.login, LOGIN_CHARACTERS), bot: answer.type === 'Bot' };
}

/** A pull request; merged only when GitHub says when. */
export function pullOf(answer: PullAnswer): Pull {
  const merged = typeof answer.merged_at === 'string';
  const mergeCommit = merged ? Revision.safeParse(answer.merge_commit_sha) : null;
  return {
    number: answer.number,
    state: merged ? 'merged' : answer.state,
    draft: answer.draft ?? false,
    title: cut(answer.title, TITLE_CHARACTERS),
    author: userOf(answer.user),
    head: { branch: answer.head.ref, revision: answer.head.sha, repositoryId: answer.head.repo?.id ?? null },
    base: { branch: answer.base.ref, revision: answer.base.sha, repositoryId: answer.base.repo.id },
    labels: (answer.labels ?? []).flatMap(({ name }) => (name === null || name === undefined ? [] : [name])),
    mergeCommit: mergeCommit?.success === true ? mergeCommit.data : null,
    updatedAt: utc(answer.updated_at),
  };
}

/** null: it belongs to an issue, not to a pull request. */
export function commentOf(answer: CommentAnswer): PullComment | null {
  const pull = pullNumberOf(answer);
  if (pull === null) return null;
  return {
    id: answer.id,
    pull,
    author: userOf(answer.user),
    body: answer.body ?? '',
    createdAt: utc(answer.created_at),
    updatedAt: utc(answer.updated_at),
  };
}

/** Only the page's address tells a pull request from an issue. */
export function pullNumberOf(answer: Pick<CommentAnswer, 'html_url'>): number | null {
  const digits = /\/pull\/(\d{1,10})#[^/]*$/.exec(answer.html_url)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** GitHub's four permissions, and the two roles between them that only `role_name` tells. */
const REFINED: Readonly<Record<string, Permission>> = {
  'admin admin': 'admin',
  'write maintain': 'maintain',
  'write write': 'write',
  'read triage': 'triage',
  'read read': 'read',
  'none none': 'none',
};
const PLAIN: Readonly<Record<string, Permission>> = { admin: 'admin', write: 'write', read: 'read', none: 'none' };

/** A role of the organisation's own counts as what GitHub says it amounts to; null: GitHub says what we do not know. */
export function permissionOf(answer: z.infer<typeof PermissionAnswer>): Permission | null {
  return REFINED[`${answer.permission} ${answer.role_name ?? ''}`] ?? PLAIN[answer.permission] ?? null;
}

const DECIDING = new Set(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED']);

/** Whose last deciding review (in GitHub's order, oldest first) asks for changes. */
export function askersOf(reviews: readonly ReviewAnswer[]): ForgeUser[] {
  const last = new Map<number, { user: ForgeUser; state: string }>();
  for (const { user, state } of reviews) {
    if (user === null || user === undefined || !DECIDING.has(state)) continue;
    last.set(user.id, { user: userOf(user), state });
  }
  return [...last.values()].filter((it) => it.state === 'CHANGES_REQUESTED').map((it) => it.user);
}

function utc(time: string): string {
  return new Date(time).toISOString();
}
