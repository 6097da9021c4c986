/** A repository as tests handle it: what people do on the pages of GitHub, and what can be seen there afterwards. */
import { commitFiles, copyBare, createBare, type Files, git, type MergeMethod, revisionOf, setRef } from './bare.ts';
import { addComment, deleteComment, editComment } from './comments.ts';
import type { Hook } from './hooks.ts';
import { latestStatuses } from './operations/statuses.ts';
import {
  addLabel,
  addReview,
  closePull,
  dismissReview,
  type Edit,
  editPull,
  mergePull,
  openIssue,
  openPull,
  personOf,
  pullOf,
  pullsOf,
  removeLabel,
  reopenPull,
  setDraft,
} from './pulls.ts';
import { refsChanged } from './refs.ts';
import { addHook, type Site } from './site.ts';
import { type Account, type Comment, type Level, Refusal, type Repo } from './state.ts';

export type Repository = ReturnType<typeof createRepository>;

export interface RepositoryArgs {
  /** Content of the first commit on the default branch; a readme when not given. */
  readonly files?: Files;
  readonly private?: boolean;
  readonly defaultBranch?: string;
  /** What users may do, by login. */
  readonly collaborators?: Readonly<Record<string, Level>>;
}

export interface RepositoryParts {
  readonly site: Site;
  /** Runs one change at a time, as the server does. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** Where bare repositories are made. */
  readonly root: string;
}

/** An empty record with its bare repository. */
export async function addRepo(
  { site, root }: RepositoryParts,
  owner: Account,
  name: string,
  args: RepositoryArgs,
  parent: Repo | null,
): Promise<Repo> {
  const { world } = site;
  if (world.repo(owner.login, name) !== null) throw new Refusal(422, `there is ${owner.login}/${name} already`);
  const id = world.nextId();
  const dir = `${root}/${id}.git`;
  const defaultBranch = parent?.defaultBranch ?? args.defaultBranch ?? 'main';
  if (parent === null) await createBare(dir, defaultBranch);
  else await copyBare(parent.dir, dir, defaultBranch);
  const repo: Repo = {
    id,
    owner,
    name,
    oldNames: [],
    private: args.private ?? parent?.private ?? true,
    defaultBranch,
    dir,
    createdAt: world.nowText(),
    parent,
    collaborators: new Map(
      Object.entries(args.collaborators ?? {}).map(([login, level]) => [world.user(login).id, level]),
    ),
    refs: new Map(),
    issues: new Map(),
    comments: new Map(),
    statuses: [],
    deployments: [],
    checkRuns: [],
    deleted: false,
  };
  world.repos.push(repo);
  if (parent === null) {
    const files = args.files ?? { 'README.md': `# ${name}\n` };
    await commitFiles(dir, { branch: defaultBranch, from: null, files, message: 'First commit', by: personOf(owner) });
  }
  await refsChanged(site, repo, owner);
  return repo;
}

export function createRepository(parts: RepositoryParts, repo: Repo) {
  const { site, alone } = parts;
  const { world } = site;
  const user = (login: string) => world.user(login);
  const pull = (number: number) => pullOf(repo, number);
  const fullName = () => `${repo.owner.login}/${repo.name}`;

  /** Changes files of a branch, which is made from `from` (the default branch) when it is new; gives the revision. */
  async function commit(
    branch: string,
    files: Files,
    { by = repo.owner.login, message = 'Change', from = repo.defaultBranch } = {},
  ) {
    return await alone(async () => {
      const start = await revisionOf(repo.dir, from);
      const made = await commitFiles(repo.dir, { branch, from: start, files, message, by: personOf(user(by)) });
      await refsChanged(site, repo, user(by));
      return made;
    });
  }

  return {
    repo,
    id: repo.id,
    /** The bare repository on disk, for `git` beside the server. */
    dir: repo.dir,
    fullName,
    commit,

    /** Moves a branch (or makes it), also backwards; null removes it. */
    setBranch: (branch: string, revision: string | null, by: string) =>
      alone(async () => {
        await setRef(repo.dir, `refs/heads/${branch}`, revision);
        await refsChanged(site, repo, user(by));
      }),

    /** The revision of a branch, tag or full ref; null: there is none. */
    revision: (name: string) => revisionOf(repo.dir, name),
    git: (args: readonly string[]) => git(repo.dir, args),

    /** Nobody may push to the branch any more; pull requests still land. */
    protect: async (branch: string) =>
      void (await git(repo.dir, ['config', '--add', 'receive.hideRefs', `refs/heads/${branch}`])),

    allow: (login: string, level: Level) => void repo.collaborators.set(user(login).id, level),

    /** Its open pull requests stay open and have no head repository any more. */
    delete: () => void (repo.deleted = true),

    /** The old name leads to the new one until somebody else takes it. */
    rename(name: string): void {
      repo.oldNames.push(repo.name);
      repo.name = name;
    },

    /** Opens one from a branch of this repository or of a fork; gives its number. */
    openPull: (args: {
      head: string;
      /** A fork; this repository when not given. */
      from?: { readonly repo: Repo };
      base?: string;
      title?: string;
      body?: string;
      draft?: boolean;
      labels?: readonly string[];
      by: string;
    }): Promise<number> =>
      alone(async () => {
        const {
          head,
          from,
          base = repo.defaultBranch,
          title = head,
          body = null,
          draft = false,
          labels = [],
          by,
        } = args;
        const headRepo = from?.repo ?? repo;
        const made = await openPull(site, { repo, headRepo, headBranch: head, base, title, body, draft, by: user(by) });
        for (const name of labels) addLabel(site, made, name, user(by));
        return made.number;
      }),

    openIssue: (by: string, title: string, body = '') => openIssue(site, repo, { title, body, by: user(by) }).number,
    pull,
    pulls: () => pullsOf(repo),

    /** The revision that the base is at afterwards. */
    merge: (number: number, method: MergeMethod, by: string) =>
      alone(() => mergePull(site, pull(number), { method }, user(by))),
    close: (number: number, by: string) => alone(async () => closePull(site, pull(number), user(by))),
    reopen: (number: number, by: string) => alone(() => reopenPull(site, pull(number), user(by))),
    /** A new title, body or base. */
    edit: (number: number, edit: Edit, by: string) => alone(() => editPull(site, pull(number), edit, user(by))),
    draft: (number: number, draft: boolean, by: string) => setDraft(site, pull(number), draft, user(by)),
    label: (number: number, name: string, by: string) => addLabel(site, pull(number), name, user(by)),
    unlabel: (number: number, name: string, by: string) => removeLabel(site, pull(number), name, user(by)),

    /** Gives the id of the review. */
    review: (number: number, by: string, state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED', body = '') =>
      addReview(site, pull(number), state, body, user(by)).id,
    dismiss: (number: number, reviewId: number, by: string) => {
      const review = pull(number).pull.reviews.find((it) => it.id === reviewId);
      if (review === undefined) throw new Refusal(404, `no review ${reviewId}`);
      dismissReview(site, pull(number), review, user(by));
    },

    /** A comment on a pull request or an issue; gives its id. */
    comment: (number: number, by: string, text: string): number => {
      const issue = repo.issues.get(number);
      if (issue === undefined) throw new Refusal(404, `no pull request or issue ${number}`);
      return addComment(site, issue, user(by), text).id;
    },
    editComment: (id: number, by: string, text: string) => editComment(site, commentOf(id), user(by), text),
    deleteComment: (id: number, by: string) => deleteComment(site, commentOf(id), user(by)),

    /** Oldest first. */
    commentsOf: (number: number) => [...repo.comments.values()].filter((it) => it.issue.number === number).map(shown),
    /** What was reacted to a comment, such as `eyes`. */
    reactionsOf: (id: number) => commentOf(id).reactions.map(({ author, content }) => ({ by: author.login, content })),

    /** The newest of each context, as the page shows it. */
    statusesOf: (sha: string) => latestStatuses(repo, sha).map(({ creator, ...it }) => ({ ...it, by: creator.login })),
    /** Every one that was ever set on it, oldest first. */
    statusHistory: (sha: string) => repo.statuses.filter((it) => it.sha === sha),
    checkRunsOf: (sha: string) => repo.checkRuns.filter((it) => it.sha === sha),
    /** Oldest first, with the newest state; null: it has none yet. */
    deployments: () =>
      repo.deployments.map((it) => {
        const last = it.statuses.at(-1);
        return { ...it, state: last?.state ?? null, url: last?.environmentUrl ?? null };
      }),

    /** Deliveries of this repository go to this address. */
    hook: (args: { url: string; secret: string; events?: readonly string[] }): Hook =>
      addHook(site, { ...args, repo, hears: (it) => it === repo }),
  };

  function commentOf(id: number): Comment {
    const found = repo.comments.get(id);
    if (found === undefined) throw new Refusal(404, `no comment ${id}`);
    return found;
  }
}

function shown({ id, author, body, createdAt, updatedAt, reactions }: Comment) {
  return { id, by: author.login, body, createdAt, updatedAt, reactions: reactions.map((it) => it.content) };
}
