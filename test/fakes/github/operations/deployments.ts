/** Operations on deployments and their statuses. */
import { isAncestor, mergeCommit, setRef } from '../bare.ts';
import { personOf } from '../pulls.ts';
import { refsChanged } from '../refs.ts';
import { type Deployment, type DeploymentStatus, Refusal } from '../state.ts';
import { demandLength, type Handler, inRepo, must, numberOf, type RepoCall } from './call.ts';
import { latestStatuses, resolved } from './statuses.ts';

const deploymentOf = (call: RepoCall) =>
  must(call.repo.deployments.find((it) => it.id === numberOf(call, 'deployment_id')));

interface NewDeployment {
  readonly ref: string;
  readonly task?: string;
  readonly auto_merge?: boolean;
  readonly required_contexts?: string[];
  readonly payload?: unknown;
  readonly environment?: string;
  readonly description?: string | null;
  readonly transient_environment?: boolean;
  readonly production_environment?: boolean;
}

/** `auto_merge` is on unless switched off: a branch behind the default branch gets it merged, and nothing is deployed. */
async function autoMerged({ site, repo, by }: RepoCall, { ref, auto_merge: wanted = true }: NewDeployment) {
  const tip = repo.refs.get(`refs/heads/${ref}`);
  const main = repo.refs.get(`refs/heads/${repo.defaultBranch}`);
  if (!wanted || tip === undefined || main === undefined || (await isAncestor(repo.dir, main, tip))) return null;
  const message = `Merge branch '${repo.defaultBranch}' into ${ref}`;
  const made = await mergeCommit(repo.dir, { base: tip, head: main, message, by: personOf(by) });
  if (made === null) throw new Refusal(409, `Conflict merging ${repo.defaultBranch} into ${ref}.`);
  await setRef(repo.dir, `refs/heads/${ref}`, made);
  await refsChanged(site, repo, by);
  return { status: 202, body: { message: `Auto-merged ${repo.defaultBranch} into ${ref} on deployment.` } };
}

/** Statuses must be good unless the asker says which ones, `[]` for none. */
function demandContexts({ repo }: RepoCall, { ref, required_contexts: wanted }: NewDeployment, sha: string): void {
  const all = latestStatuses(repo, sha);
  const asked = wanted === undefined ? all : wanted.map((name) => all.find((it) => it.context === name));
  if (asked.every((it) => it?.state === 'success')) return;
  throw new Refusal(409, `Conflict: Commit status checks failed for ${ref}.`);
}

export const DEPLOYMENTS = {
  'repos/list-deployments': inRepo(({ repo, query, views }) => {
    const fits = (name: 'sha' | 'ref' | 'task' | 'environment') => (it: Deployment) =>
      query.get(name) === null || query.get(name) === 'none' || it[name] === query.get(name);
    const found = repo.deployments
      .filter(fits('sha'))
      .filter(fits('ref'))
      .filter(fits('task'))
      .filter(fits('environment'));
    return { status: 200, list: found.toReversed().map((it) => views.deployment(it, repo)) };
  }),

  'repos/get-deployment': inRepo((call) => ({
    status: 200,
    body: call.views.deployment(deploymentOf(call), call.repo),
  })),

  'repos/create-deployment': inRepo(async (call) => {
    const { repo, site, by, views } = call;
    const body = call.body as NewDeployment;
    const sha = await resolved({ ...call, path: { ref: body.ref } }).catch(() => null);
    if (sha === null) throw new Refusal(422, `No ref found for: ${body.ref}`);
    const merged = await autoMerged(call, body);
    if (merged !== null) return merged;
    demandContexts(call, body, sha);
    const environment = body.environment ?? 'production';
    const deployment: Deployment = {
      id: site.world.nextId(),
      sha,
      ref: body.ref,
      task: body.task ?? 'deploy',
      environment,
      description: body.description ?? null,
      transient: body.transient_environment ?? false,
      production: body.production_environment ?? environment === 'production',
      payload: body.payload ?? '',
      creator: by,
      createdAt: site.world.nowText(),
      statuses: [],
    };
    repo.deployments.push(deployment);
    return { status: 201, body: views.deployment(deployment, repo) };
  }),

  'repos/list-deployment-statuses': inRepo((call) => {
    const deployment = deploymentOf(call);
    const list = deployment.statuses.toReversed().map((it) => call.views.deploymentStatus(it, deployment, call.repo));
    return { status: 200, list };
  }),

  'repos/create-deployment-status': inRepo((call) => {
    const { repo, site, by, views } = call;
    const deployment = deploymentOf(call);
    const body = call.body as {
      state: string;
      description?: string;
      environment_url?: string;
      log_url?: string;
      target_url?: string;
      auto_inactive?: boolean;
    };
    demandLength('DeploymentStatus', 'description', body.description);
    const make = (state: string): DeploymentStatus => ({
      id: site.world.nextId(),
      state,
      description: body.description ?? '',
      environmentUrl: body.environment_url ?? '',
      logUrl: body.log_url ?? body.target_url ?? '',
      creator: by,
      createdAt: site.world.nowText(),
    });
    const made = make(body.state);
    deployment.statuses.push(made);
    if (body.state === 'success' && body.auto_inactive !== false) {
      const older = repo.deployments.filter((it) => it.id < deployment.id && it.environment === deployment.environment);
      for (const it of older.filter((old) => !old.transient && !old.production))
        it.statuses.push({ ...make('inactive'), description: '' });
    }
    return { status: 201, body: views.deploymentStatus(made, deployment, repo) };
  }),
} satisfies Record<string, Handler>;
