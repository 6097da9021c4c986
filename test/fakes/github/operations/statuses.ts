/** Operations on commit statuses. */
import { revisionOf } from '../bare.ts';
import { Refusal, type Repo, type Status } from '../state.ts';
import { demandLength, type Handler, inRepo, type RepoCall } from './call.ts';

/** GitHub keeps no more of one context on one commit. */
const MOST_STATUSES = 1000;

/** The newest of each context. */
export function latestStatuses(repo: Repo, sha: string): Status[] {
  const latest = new Map(repo.statuses.filter((it) => it.sha === sha).map((it) => [it.context.toLowerCase(), it]));
  return [...latest.values()];
}

const STATES = ['failure', 'pending', 'success'] as const;

function combined(statuses: readonly Status[]): (typeof STATES)[number] {
  const states = statuses.map((it) => (it.state === 'error' ? 'failure' : it.state));
  return states.includes('failure')
    ? 'failure'
    : states.includes('pending') || states.length === 0
      ? 'pending'
      : 'success';
}

/** The revision of a branch, a tag or a commit. @throws 422 */
export async function resolved({ repo, path }: RepoCall): Promise<string> {
  const name = path['ref'] ?? '';
  for (const it of [`refs/heads/${name}`, `refs/tags/${name}`, `refs/${name}`, name]) {
    const found = await revisionOf(repo.dir, it);
    if (found !== null) return found;
  }
  throw new Refusal(422, `No commit found for SHA: ${name}`);
}

export const STATUSES = {
  'repos/create-commit-status': inRepo(async (call) => {
    const { repo, site, by, path, views } = call;
    const sha = path['sha'] ?? '';
    const body = call.body as {
      state: Status['state'];
      context?: string;
      description?: string | null;
      target_url?: string | null;
    };
    if (!/^[0-9a-f]{40}$/.test(sha) || (await revisionOf(repo.dir, sha)) === null)
      throw new Refusal(422, `No commit found for SHA: ${sha}`);
    const { state, context = 'default', description = null, target_url: targetUrl = null } = body;
    demandLength('Status', 'context', context);
    demandLength('Status', 'description', description);
    if (targetUrl !== null && !/^https?:\/\//.test(targetUrl))
      throw new Refusal(422, 'Validation Failed', [
        { resource: 'Status', code: 'custom', field: 'target_url', message: 'target_url must use http(s) scheme' },
      ]);
    if (repo.statuses.filter((it) => it.sha === sha && it.context === context).length >= MOST_STATUSES)
      throw new Refusal(422, 'Validation Failed', [
        {
          resource: 'Status',
          code: 'custom',
          message: 'This SHA and context has reached the maximum number of statuses.',
        },
      ]);
    const status = {
      id: site.world.nextId(),
      sha,
      context,
      state,
      description,
      targetUrl,
      creator: by,
      createdAt: site.world.nowText(),
    };
    repo.statuses.push(status);
    return { status: 201, body: views.status(status, repo) };
  }),

  'repos/list-commit-statuses-for-ref': inRepo(async (call) => {
    const sha = await resolved(call);
    const found = call.repo.statuses.filter((it) => it.sha === sha).toReversed();
    return { status: 200, list: found.map((it) => call.views.status(it, call.repo)) };
  }),

  'repos/get-combined-status-for-ref': inRepo(async (call) => {
    const { repo, views } = call;
    const sha = await resolved(call);
    const all = latestStatuses(repo, sha);
    const about = {
      sha,
      state: combined(all),
      total_count: all.length,
      repository: views.shortRepo(repo),
      url: `${views.repoApi(repo)}/commits/${sha}/status`,
      commit_url: `${views.repoApi(repo)}/commits/${sha}`,
    };
    const list = all.map((it) => views.status(it, repo));
    return { status: 200, list, wrap: (statuses) => ({ ...about, statuses }) };
  }),
} satisfies Record<string, Handler>;
