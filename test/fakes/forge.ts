/**
 * A forge in memory: pull requests, comments, statuses, environments and rights as plain state. Tests open, push, merge,
 * close and comment as people do, and read back what was written by us. Time is its own: every change is a second later.
 */
import { createHash } from 'node:crypto';
import type { EnvironmentArgs, Forge, ForgeIdentity, StatusArgs } from '../../controller/forge/port.ts';
import { type ErrorCode, SlipwayError } from '../../schemas/errors.ts';
import type { CommentRef, ForgeUser, Permission, Pull, PullComment } from '../../schemas/forge.ts';

export const REPOSITORY_ID = 4_242;
export const BOT: ForgeUser = { id: 1, login: 'slipway[bot]', bot: true };
export const ALICE: ForgeUser = { id: 11, login: 'alice', bot: false };
export const BOB: ForgeUser = { id: 12, login: 'bob', bot: false };

export interface OpenArgs {
  /** The next free one, if left out. */
  readonly number?: number;
  readonly branch?: string;
  /** Made up, if left out. */
  readonly head?: string;
  readonly base?: string;
  readonly baseRevision?: string;
  readonly author?: ForgeUser;
  readonly title?: string;
  readonly labels?: readonly string[];
  readonly draft?: boolean;
  /** Another id than `REPOSITORY_ID` makes it a fork's; null: the head repository is gone. */
  readonly headRepositoryId?: number | null;
}

type Verb = keyof Forge;

export interface FakeForge extends Forge {
  readonly pulls: Map<number, Pull>;
  readonly comments: Map<number, PullComment>;
  /** What each `revision context` says now. */
  readonly statuses: Map<string, StatusArgs>;
  /** What each environment says now. */
  readonly environments: Map<string, EnvironmentArgs>;
  /** Reactions by comment id, in order. */
  readonly reactions: Map<number, ('seen' | 'done' | 'failed')[]>;
  /** By login; nobody else may do anything. */
  readonly permissions: Map<string, Permission>;
  /** Logins by `@org/team`. */
  readonly teams: Map<string, Set<string>>;
  /** Who asked for changes, by pull request. */
  readonly asked: Map<number, ForgeUser[]>;
  /** Every call, in order. */
  readonly calls: Verb[];
  /** Every call that changed something, such as `comment 7` or `status slipway/web success`. */
  readonly writes: string[];
  /** Verbs that fail, with the code; `all` is every one. */
  readonly failing: Map<Verb | 'all', ErrorCode>;
  /** Settable: what `identity` says. */
  identityNow: ForgeIdentity;
  /** Now, as the forge sees it. */
  now(): string;
  /** Opens a pull request, as a person does. */
  open(args?: OpenArgs): Pull;
  /** Its head moves; to a made-up revision if none is given. */
  push(number: number, head?: string): Pull;
  /** Changes what is given, such as labels, title, draft or base. */
  edit(number: number, changes: Partial<Pick<Pull, 'labels' | 'title' | 'draft' | 'base' | 'author'>>): Pull;
  merge(number: number, mergeCommit?: string): Pull;
  close(number: number): Pull;
  reopen(number: number): Pull;
  /** A person writes a comment. */
  comment(number: number, author: ForgeUser, body: string): PullComment;
  editComment(id: number, body: string): PullComment;
  deleteComment(id: number): void;
  /** Our comments of a pull request, oldest first. */
  ours(number: number): PullComment[];
  /** The state of a status; undefined: none was set. */
  status(revision: string, context: string): StatusArgs | undefined;
}

/** 40 hex digits made of a text, so that tests can name revisions. */
export function revisionOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A forge without pull requests, whose credentials are those of `BOT`. */
export function createFakeForge(args: { readonly startsAt?: string } = {}): FakeForge {
  let nowMs = Date.parse(args.startsAt ?? '2026-01-01T00:00:00Z');
  let lastId = 1_000;
  const tick = () => new Date((nowMs += 1_000)).toISOString();

  function pullOf(number: number): Pull {
    const pull = forge.pulls.get(number);
    if (pull === undefined) throw new SlipwayError('FORGE_INVALID', `There is no pull request #${number}.`);
    return pull;
  }
  function change(number: number, changes: Partial<Pull>): Pull {
    const pull = { ...pullOf(number), ...changes, updatedAt: tick() };
    forge.pulls.set(number, pull);
    return pull;
  }
  function write(pull: number, author: ForgeUser, body: string): PullComment {
    change(pull, {});
    const at = tick();
    const comment = { id: ++lastId, pull, author, body, createdAt: at, updatedAt: at };
    forge.comments.set(comment.id, comment);
    return comment;
  }
  function commentOf(id: number): PullComment {
    const comment = forge.comments.get(id);
    if (comment === undefined) throw new SlipwayError('FORGE_INVALID', `There is no comment ${id}.`);
    return comment;
  }
  function refTo({ id, pull, body }: PullComment): CommentRef {
    return { id, url: `${forge.identityNow.webUrl}/pull/${pull}#issuecomment-${id}`, bodyDigest: sha256(body) };
  }
  /** What every verb does first. */
  async function called(verb: Verb, signal: AbortSignal): Promise<void> {
    forge.calls.push(verb);
    await Promise.resolve();
    if (signal.aborted) throw new SlipwayError('FORGE_UNAVAILABLE', 'The call was given up.');
    const code = forge.failing.get(verb) ?? forge.failing.get('all');
    if (code !== undefined) throw new SlipwayError(code, `The forge was told to fail ${verb}.`);
  }

  const forge: FakeForge = {
    pulls: new Map(),
    comments: new Map(),
    statuses: new Map(),
    environments: new Map(),
    reactions: new Map(),
    permissions: new Map(),
    teams: new Map(),
    asked: new Map(),
    calls: [],
    writes: [],
    failing: new Map(),
    identityNow: { user: BOT, webUrl: 'https://github.test/acme/fleet', repositoryId: REPOSITORY_ID, checks: false },

    now: () => new Date(nowMs).toISOString(),
    open(given = {}) {
      const number = given.number ?? Math.max(0, ...forge.pulls.keys()) + 1;
      const pull: Pull = {
        number,
        state: 'open',
        draft: given.draft ?? false,
        title: given.title ?? `Change ${number}`,
        author: given.author ?? ALICE,
        head: {
          branch: given.branch ?? `change-${number}`,
          revision: given.head ?? revisionOf(`head ${number} 0`),
          repositoryId: given.headRepositoryId === undefined ? REPOSITORY_ID : given.headRepositoryId,
        },
        base: {
          branch: given.base ?? 'main',
          revision: given.baseRevision ?? revisionOf('main'),
          repositoryId: REPOSITORY_ID,
        },
        labels: [...(given.labels ?? [])],
        mergeCommit: null,
        updatedAt: tick(),
      };
      forge.pulls.set(number, pull);
      return pull;
    },
    push(number, head = revisionOf(`head ${number} ${nowMs}`)) {
      return change(number, { head: { ...pullOf(number).head, revision: head } });
    },
    edit: (number, changes) => change(number, changes),
    merge: (number, mergeCommit = revisionOf(`merge ${number}`)) => change(number, { state: 'merged', mergeCommit }),
    close: (number) => change(number, { state: 'closed' }),
    reopen: (number) => change(number, { state: 'open' }),
    comment: write,
    editComment(id, body) {
      const comment = { ...commentOf(id), body, updatedAt: tick() };
      forge.comments.set(id, comment);
      return comment;
    },
    deleteComment(id) {
      commentOf(id);
      forge.comments.delete(id);
    },
    ours: (number) =>
      [...forge.comments.values()].filter((it) => it.pull === number && it.author.id === forge.identityNow.user.id),
    status: (revision, context) => forge.statuses.get(`${revision} ${context}`),

    async identity(signal) {
      await called('identity', signal);
      return forge.identityNow;
    },
    async listPulls(since, signal) {
      await called('listPulls', signal);
      return [...forge.pulls.values()].filter(
        (it) => it.state === 'open' || (since !== null && Date.parse(it.updatedAt) >= Date.parse(since)),
      );
    },
    async getPull(number, signal) {
      await called('getPull', signal);
      return forge.pulls.get(number) ?? null;
    },
    async getComment(id, signal) {
      await called('getComment', signal);
      return forge.comments.get(id) ?? null;
    },
    async listComments(since, signal) {
      await called('listComments', signal);
      return [...forge.comments.values()]
        .filter((it) => Date.parse(it.updatedAt) >= Date.parse(since))
        .toSorted((a, b) => Date.parse(a.updatedAt) - Date.parse(b.updatedAt) || a.id - b.id);
    },
    async ensureComment({ pull, marker, body }, signal) {
      await called('ensureComment', signal);
      pullOf(pull);
      const text = body.startsWith(marker) ? body : `${marker}\n${body}`;
      const there = forge.ours(pull).find((it) => it.body.startsWith(marker));
      if (there?.body === text) return refTo(there);
      forge.writes.push(`comment ${pull}`);
      return refTo(there === undefined ? write(pull, forge.identityNow.user, text) : forge.editComment(there.id, text));
    },
    async react(comment, reaction, signal) {
      await called('react', signal);
      commentOf(comment);
      const there = forge.reactions.get(comment) ?? [];
      if (there.includes(reaction)) return;
      forge.reactions.set(comment, [...there, reaction]);
      forge.writes.push(`reaction ${comment} ${reaction}`);
    },
    async setStatus(status, signal) {
      await called('setStatus', signal);
      forge.statuses.set(`${status.revision} ${status.context}`, status);
      forge.writes.push(`status ${status.context} ${status.state}`);
    },
    async setEnvironment(environment, signal) {
      await called('setEnvironment', signal);
      forge.environments.set(environment.environment, environment);
      forge.writes.push(`environment ${environment.environment} ${environment.state}`);
    },
    async permission(login, signal) {
      await called('permission', signal);
      return forge.permissions.get(login) ?? 'none';
    },
    async isMember(team, login, signal) {
      await called('isMember', signal);
      return forge.teams.get(team)?.has(login) ?? false;
    },
    async changeRequests(pull, signal) {
      await called('changeRequests', signal);
      return forge.asked.get(pull) ?? [];
    },
    async ensurePull({ branch, base, title, body }, signal) {
      await called('ensurePull', signal);
      const there = [...forge.pulls.values()].find(
        (it) => it.state === 'open' && it.head.branch === branch && it.head.repositoryId === REPOSITORY_ID,
      );
      if (there?.title === title && there.base.branch === base) return there;
      forge.writes.push(`pull ${branch} ${sha256(body).slice(0, 8)}`);
      if (there !== undefined) return change(there.number, { title, base: { ...there.base, branch: base } });
      return forge.open({ branch, base, title, author: forge.identityNow.user });
    },
  };
  return forge;
}
