/** What hangs on commits as GitHub's API shows it: statuses, deployments, check runs; and commits themselves. */
import type { CommitInfo } from './bare.ts';
import type { Json } from './filler.ts';
import type { Account, CheckRun, Deployment, DeploymentStatus, Repo, Status } from './state.ts';

export const nodeId = (kind: string, id: number) => Buffer.from(`${kind}:${id}`).toString('base64url');

export interface Around {
  readonly user: (account: Account) => Json;
  readonly repoApi: (repo: Repo) => string;
  readonly repoWeb: (repo: Repo) => string;
}

export function createCommitViews({ user, repoApi, repoWeb }: Around) {
  const status = (it: Status, of: Repo): Json => ({
    id: it.id,
    node_id: nodeId('StatusContext', it.id),
    url: `${repoApi(of)}/statuses/${it.sha}`,
    state: it.state,
    context: it.context,
    description: it.description,
    target_url: it.targetUrl,
    creator: user(it.creator),
    created_at: it.createdAt,
    updated_at: it.createdAt,
  });

  const deployment = (it: Deployment, of: Repo): Json => ({
    id: it.id,
    node_id: nodeId('Deployment', it.id),
    url: `${repoApi(of)}/deployments/${it.id}`,
    sha: it.sha,
    ref: it.ref,
    task: it.task,
    payload: it.payload,
    environment: it.environment,
    original_environment: it.environment,
    description: it.description,
    transient_environment: it.transient,
    production_environment: it.production,
    creator: user(it.creator),
    created_at: it.createdAt,
    updated_at: it.statuses.at(-1)?.createdAt ?? it.createdAt,
    statuses_url: `${repoApi(of)}/deployments/${it.id}/statuses`,
    repository_url: repoApi(of),
  });

  const deploymentStatus = (it: DeploymentStatus, on: Deployment, of: Repo): Json => ({
    id: it.id,
    node_id: nodeId('DeploymentStatus', it.id),
    url: `${repoApi(of)}/deployments/${on.id}/statuses/${it.id}`,
    state: it.state,
    description: it.description,
    environment: on.environment,
    environment_url: it.environmentUrl,
    log_url: it.logUrl,
    target_url: it.logUrl,
    creator: user(it.creator),
    created_at: it.createdAt,
    updated_at: it.createdAt,
    deployment_url: `${repoApi(of)}/deployments/${on.id}`,
    repository_url: repoApi(of),
  });

  const checkRun = (it: CheckRun, of: Repo): Json => ({
    id: it.id,
    node_id: nodeId('CheckRun', it.id),
    head_sha: it.sha,
    name: it.name,
    status: it.status,
    conclusion: it.conclusion,
    details_url: it.detailsUrl,
    external_id: it.externalId,
    url: `${repoApi(of)}/check-runs/${it.id}`,
    html_url: `${repoWeb(of)}/runs/${it.id}`,
    started_at: it.startedAt,
    completed_at: it.completedAt,
    check_suite: { id: it.id },
    app: null,
    pull_requests: [],
    output: {
      title: it.title,
      summary: it.summary,
      text: it.text,
      annotations_count: it.annotations.length,
      annotations_url: `${repoApi(of)}/check-runs/${it.id}/annotations`,
    },
  });

  const branch = (name: string, sha: string, of: Repo): Json => ({
    name,
    commit: { sha, url: `${repoApi(of)}/commits/${sha}` },
    protected: false,
  });

  const gitCommit = (it: CommitInfo, of: Repo): Json => ({
    sha: it.sha,
    node_id: nodeId('Commit', of.id),
    url: `${repoApi(of)}/git/commits/${it.sha}`,
    html_url: `${repoWeb(of)}/commit/${it.sha}`,
    author: { ...it.author, date: it.date },
    committer: { ...it.committer, date: it.date },
    message: it.message,
    tree: { sha: it.tree, url: `${repoApi(of)}/git/trees/${it.tree}` },
    parents: it.parents.map((sha) => ({
      sha,
      url: `${repoApi(of)}/git/commits/${sha}`,
      html_url: `${repoWeb(of)}/commit/${sha}`,
    })),
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  });

  return { status, deployment, deploymentStatus, checkRun, branch, gitCommit };
}
