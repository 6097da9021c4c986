/** What the GitHub of our tests knows: accounts, teams, repositories and everything in them. Plain records; others change them. */

/** What somebody may do with a repository, least first. */
const LEVELS = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Level = (typeof LEVELS)[number];

export interface Account {
  readonly id: number;
  login: string;
  readonly type: 'User' | 'Bot' | 'Organization';
}

export interface Team {
  readonly id: number;
  readonly org: Account;
  readonly slug: string;
  readonly members: Map<number, 'active' | 'pending'>;
}

export interface Repo {
  readonly id: number;
  readonly owner: Account;
  name: string;
  /** What it was called before; GitHub sends those who ask for it on. */
  readonly oldNames: string[];
  private: boolean;
  readonly defaultBranch: string;
  /** The bare repository. */
  readonly dir: string;
  readonly createdAt: string;
  readonly parent: Repo | null;
  /** What others than the owner may do, by user id. */
  readonly collaborators: Map<number, Level>;
  /** Branches and tags as they were when we looked last: what differs was pushed since. */
  readonly refs: Map<string, string>;
  readonly issues: Map<number, Issue>;
  readonly comments: Map<number, Comment>;
  readonly statuses: Status[];
  readonly deployments: Deployment[];
  readonly checkRuns: CheckRun[];
  deleted: boolean;
}

/** An issue; pull requests are issues with a head. */
export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly repo: Repo;
  readonly author: Account;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  labels: string[];
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  readonly pull: PullPart | null;
}

interface PullPart {
  readonly id: number;
  draft: boolean;
  readonly headRepo: Repo;
  readonly headBranch: string;
  headSha: string;
  baseBranch: string;
  /** The tip of the base when the pull request was opened, pushed to or retargeted; it does not follow the branch. */
  baseSha: string;
  mergeable: boolean | null;
  /** The test merge while it is open, the real one when it is merged. */
  mergeCommitSha: string | null;
  mergedAt: string | null;
  mergedBy: Account | null;
  readonly reviews: Review[];
}

/** An issue that is a pull request. */
export type Pull = Issue & { readonly pull: PullPart };

export type ReviewState = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED';

export interface Review {
  readonly id: number;
  readonly author: Account;
  readonly body: string;
  readonly commit: string;
  readonly submittedAt: string;
  state: ReviewState;
}

export interface Comment {
  readonly id: number;
  readonly issue: Issue;
  readonly author: Account;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly reactions: {
    readonly id: number;
    readonly author: Account;
    readonly content: string;
    readonly at: string;
  }[];
}

export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: Account;
  readonly createdAt: string;
}

export interface DeploymentStatus {
  readonly id: number;
  readonly state: string;
  readonly description: string;
  readonly environmentUrl: string;
  readonly logUrl: string;
  readonly creator: Account;
  readonly createdAt: string;
}

export interface Deployment {
  readonly id: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string | null;
  readonly transient: boolean;
  readonly production: boolean;
  readonly payload: unknown;
  readonly creator: Account;
  readonly createdAt: string;
  readonly statuses: DeploymentStatus[];
}

export interface CheckRun {
  readonly id: number;
  readonly appId: number;
  readonly sha: string;
  name: string;
  status: string;
  conclusion: string | null;
  detailsUrl: string | null;
  externalId: string | null;
  readonly startedAt: string;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  /** Those of every update, in order: GitHub adds, it does not replace. */
  readonly annotations: Record<string, unknown>[];
  actions: Record<string, unknown>[];
}

export interface App {
  readonly id: number;
  readonly slug: string;
  readonly bot: Account;
  /** PEM of the public half of its key. */
  readonly publicKey: string;
  readonly privateKey: string;
  readonly installations: Installation[];
}

export interface Installation {
  readonly id: number;
  readonly account: Account;
  readonly permissions: Permissions;
  /** Ids of repositories; null: all of the account. */
  readonly repositoryIds: readonly number[] | null;
}

/** As fine-grained tokens and Apps have them, such as `{ issues: 'write' }`; `metadata: read` is always there. */
export type Permissions = Readonly<Record<string, 'read' | 'write'>>;

/** An answer that is not what was asked for; also thrown at tests that do the impossible. */
export class Refusal extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | null;

  constructor(status: number, message: string, errors: readonly unknown[] | null = null) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export type World = ReturnType<typeof createWorld>;

/** An empty GitHub; `now` gives milliseconds. */
export function createWorld(now: () => number) {
  let lastId = 1000;
  const accounts = new Map<string, Account>();
  const teams: Team[] = [];
  const repos: Repo[] = [];
  const apps: App[] = [];
  const nextId = () => ++lastId;
  const named = (owner: string, is: (it: Repo) => boolean) =>
    repos.find((it) => !it.deleted && same(it.owner.login, owner) && is(it)) ?? null;

  return {
    accounts,
    teams,
    repos,
    apps,
    nextId,
    nowMs: now,
    /** GitHub's clock shows seconds. */
    nowText: () => `${new Date(now()).toISOString().slice(0, 19)}Z`,
    repo: (owner: string, name: string) => named(owner, (it) => same(it.name, name)),
    renamed: (owner: string, name: string) => named(owner, (it) => it.oldNames.some((old) => same(old, name))),
    account: (login: string) => accounts.get(login.toLowerCase()) ?? null,
    addAccount(login: string, type: Account['type']): Account {
      const account = { id: nextId(), login, type };
      accounts.set(login.toLowerCase(), account);
      return account;
    },
    /** A user or bot by login. @throws for one that nobody made */
    user(login: string): Account {
      const found = accounts.get(login.toLowerCase());
      if (found === undefined) throw new Refusal(404, `there is no user ${login}: make it with github.user()`);
      return found;
    },
  };
}

/** Logins and names of repositories are the same in any case. */
export function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** What a user may do with a repository. */
export function levelOf(repo: Repo, account: Account | null): Level {
  if (account !== null && account.id === repo.owner.id) return 'admin';
  const given = account === null ? undefined : repo.collaborators.get(account.id);
  return given ?? (repo.private ? 'none' : 'read');
}

export function atLeast(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed);
}

export function isPull(issue: Issue): issue is Pull {
  return issue.pull !== null;
}
