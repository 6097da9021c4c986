/** Records as GitHub's API shows them; what the description requires besides is filled in later. */
import { createCommitViews, nodeId } from './commit-views.ts';
import type { Json } from './filler.ts';
import type { Account, Comment, Issue, Level, Pull, Repo, Review } from './state.ts';

/** Where links point: the API as the asker calls it, and the pages. */
export interface Bases {
  readonly api: string;
  readonly web: string;
}

export type Views = ReturnType<typeof createViews>;

/** What the API says of a level: it knows fewer for `permission` than for `role_name`. */
export const SHOWN_LEVEL: Record<Level, string> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};

const CONTENTS = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'eyes', 'rocket'] as const;

/** How often what was reacted. */
function rollup(url: string, reactions: Comment['reactions']): Json {
  const counts = CONTENTS.map((content) => [content, reactions.filter((it) => it.content === content).length]);
  return { url: `${url}/reactions`, total_count: reactions.length, ...Object.fromEntries(counts) };
}

export function createViews({ api, web }: Bases) {
  const repoApi = (repo: Repo) => `${api}/repos/${repo.owner.login}/${repo.name}`;
  const repoWeb = (repo: Repo) => `${web}/${repo.owner.login}/${repo.name}`;

  const user = ({ id, login, type }: Account): Json => ({
    id,
    login,
    node_id: nodeId(type, id),
    avatar_url: `${web}/avatars/${id}`,
    gravatar_id: '',
    url: `${api}/users/${login}`,
    html_url: `${web}/${login}`,
    type,
    site_admin: false,
  });

  const repo = (it: Repo): Json => ({
    id: it.id,
    node_id: nodeId('Repository', it.id),
    name: it.name,
    full_name: `${it.owner.login}/${it.name}`,
    owner: user(it.owner),
    private: it.private,
    visibility: it.private ? 'private' : 'public',
    html_url: repoWeb(it),
    url: repoApi(it),
    description: null,
    created_at: it.createdAt,
    updated_at: it.createdAt,
    pushed_at: it.createdAt,
    fork: it.parent !== null,
    clone_url: `${repoWeb(it)}.git`,
    git_url: `${repoWeb(it)}.git`,
    ssh_url: `git@github.test:${it.owner.login}/${it.name}.git`,
    default_branch: it.defaultBranch,
    is_template: false,
    topics: [],
    web_commit_signoff_required: false,
    custom_properties: {},
    ...(it.parent === null ? {} : { parent: shortRepo(it.parent), source: shortRepo(it.parent) }),
  });
  const shortRepo = (it: Repo): Json => {
    const { parent: _parent, source: _source, ...rest } = repo({ ...it, parent: null });
    return { ...rest, fork: it.parent !== null };
  };

  const label = (issue: Issue, name: string, at: number): Json => ({
    id: issue.repo.id * 1000 + at,
    node_id: nodeId('Label', at),
    name,
    url: `${repoApi(issue.repo)}/labels/${encodeURIComponent(name)}`,
    color: 'ededed',
    default: false,
    description: null,
  });

  const common = (it: Issue): Json => ({
    number: it.number,
    title: it.title,
    body: it.body,
    user: user(it.author),
    state: it.state,
    labels: it.labels.map((name, at) => label(it, name, at)),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    active_lock_reason: null,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    closed_at: it.closedAt,
    author_association: 'CONTRIBUTOR',
  });

  const issue = (it: Issue): Json => ({
    ...common(it),
    id: it.id,
    node_id: nodeId('Issue', it.id),
    url: `${repoApi(it.repo)}/issues/${it.number}`,
    html_url: `${repoWeb(it.repo)}/${it.pull === null ? 'issues' : 'pull'}/${it.number}`,
    reactions: rollup(`${repoApi(it.repo)}/issues/${it.number}`, []),
    ...(it.pull === null
      ? {}
      : {
          draft: it.pull.draft,
          pull_request: {
            url: `${repoApi(it.repo)}/pulls/${it.number}`,
            html_url: `${repoWeb(it.repo)}/pull/${it.number}`,
            diff_url: `${repoWeb(it.repo)}/pull/${it.number}.diff`,
            patch_url: `${repoWeb(it.repo)}/pull/${it.number}.patch`,
            merged_at: it.pull.mergedAt,
          },
        }),
  });

  /** As lists show it; `pullDetails` adds the rest. */
  const pull = (it: Pull): Json => {
    const { pull: part } = it;
    const links = (path: string) => ({ href: `${repoApi(it.repo)}/${path}` });
    const gone = part.headRepo.deleted;
    return {
      ...common(it),
      id: part.id,
      node_id: nodeId('PullRequest', part.id),
      url: `${repoApi(it.repo)}/pulls/${it.number}`,
      html_url: `${repoWeb(it.repo)}/pull/${it.number}`,
      issue_url: `${repoApi(it.repo)}/issues/${it.number}`,
      diff_url: `${repoWeb(it.repo)}/pull/${it.number}.diff`,
      patch_url: `${repoWeb(it.repo)}/pull/${it.number}.patch`,
      draft: part.draft,
      merged_at: part.mergedAt,
      merge_commit_sha: part.mergeCommitSha,
      requested_reviewers: [],
      requested_teams: [],
      auto_merge: null,
      head: {
        label: `${part.headRepo.owner.login}:${part.headBranch}`,
        ref: part.headBranch,
        sha: part.headSha,
        user: user(part.headRepo.owner),
        repo: gone ? null : shortRepo(part.headRepo),
      },
      base: {
        label: `${it.repo.owner.login}:${part.baseBranch}`,
        ref: part.baseBranch,
        sha: part.baseSha,
        user: user(it.repo.owner),
        repo: shortRepo(it.repo),
      },
      _links: {
        self: links(`pulls/${it.number}`),
        html: { href: `${repoWeb(it.repo)}/pull/${it.number}` },
        issue: links(`issues/${it.number}`),
        comments: links(`issues/${it.number}/comments`),
        review_comments: links(`pulls/${it.number}/comments`),
        review_comment: links('pulls/comments{/number}'),
        commits: links(`pulls/${it.number}/commits`),
        statuses: links(`statuses/${part.headSha}`),
      },
    };
  };

  const pullDetails = (it: Pull): Json => ({
    ...pull(it),
    merged: it.pull.mergedAt !== null,
    mergeable: it.state === 'open' ? it.pull.mergeable : null,
    rebaseable: it.state === 'open' ? it.pull.mergeable : null,
    mergeable_state: it.pull.mergeable === false ? 'dirty' : it.pull.mergeable === null ? 'unknown' : 'clean',
    merged_by: it.pull.mergedBy === null ? null : user(it.pull.mergedBy),
    comments: [...it.repo.comments.values()].filter((comment) => comment.issue === it).length,
  });

  const comment = (it: Comment): Json => ({
    id: it.id,
    node_id: nodeId('IssueComment', it.id),
    url: `${repoApi(it.issue.repo)}/issues/comments/${it.id}`,
    html_url: `${repoWeb(it.issue.repo)}/${it.issue.pull === null ? 'issues' : 'pull'}/${it.issue.number}#issuecomment-${it.id}`,
    issue_url: `${repoApi(it.issue.repo)}/issues/${it.issue.number}`,
    body: it.body,
    reactions: rollup(`${repoApi(it.issue.repo)}/issues/comments/${it.id}`, it.reactions),
    performed_via_github_app: null,
    user: user(it.author),
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    author_association: 'CONTRIBUTOR',
  });

  const reaction = (it: Comment['reactions'][number]): Json => ({
    id: it.id,
    node_id: nodeId('Reaction', it.id),
    user: user(it.author),
    content: it.content,
    created_at: it.at,
  });

  const review = (it: Review, of: Pull): Json => ({
    id: it.id,
    node_id: nodeId('PullRequestReview', it.id),
    user: user(it.author),
    body: it.body,
    state: it.state,
    html_url: `${repoWeb(of.repo)}/pull/${of.number}#pullrequestreview-${it.id}`,
    pull_request_url: `${repoApi(of.repo)}/pulls/${of.number}`,
    submitted_at: it.submittedAt,
    commit_id: it.commit,
    author_association: 'CONTRIBUTOR',
    _links: {
      html: { href: `${repoWeb(of.repo)}/pull/${of.number}#pullrequestreview-${it.id}` },
      pull_request: { href: `${repoApi(of.repo)}/pulls/${of.number}` },
    },
  });

  return {
    ...createCommitViews({ user, repoApi, repoWeb }),
    api,
    repoApi,
    repoWeb,
    user,
    repo,
    shortRepo,
    label,
    issue,
    pull,
    pullDetails,
    comment,
    reaction,
    review,
  };
}
