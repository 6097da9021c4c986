/** Operations on pull requests. */
import type { MergeMethod } from '../bare.ts';
import { closePull, editPull, invalid, mergePull, openPull, pullOf, pullsOf, reopenPull } from '../pulls.ts';
import { testMerge } from '../refs.ts';
import { atLeast, levelOf, type Pull, Refusal, same } from '../state.ts';
import { demandBody, type Handler, inRepo, numberOf, type RepoCall } from './call.ts';

const here = (call: RepoCall) => pullOf(call.repo, numberOf(call, 'pull_number'));

const KEYS: Record<string, (it: Pull) => string> = {
  created: (it) => it.createdAt,
  updated: (it) => it.updatedAt,
};

export const PULLS = {
  'pulls/list': inRepo(({ repo, query, views }) => {
    const state = query.get('state') ?? 'open';
    const head = query.get('head');
    const base = query.get('base');
    const key = KEYS[query.get('sort') ?? 'created'] ?? ((it: Pull) => it.createdAt);
    const found = pullsOf(repo)
      .filter((it) => state === 'all' || it.state === state)
      // A head without a colon is ignored, as by GitHub.
      .filter((it) => !head?.includes(':') || same(`${it.pull.headRepo.owner.login}:${it.pull.headBranch}`, head))
      .filter((it) => base === null || it.pull.baseBranch === base)
      .toSorted((a, b) => key(a).localeCompare(key(b)) || a.number - b.number);
    const descending =
      (query.get('direction') ?? (query.has('sort') && query.get('sort') !== 'created' ? 'asc' : 'desc')) === 'desc';
    return { status: 200, list: (descending ? found.toReversed() : found).map(views.pull) };
  }),

  'pulls/get': inRepo(async (call) => {
    const pull = here(call);
    if (pull.state === 'open' && pull.pull.mergeable === null) await testMerge(pull);
    return { status: 200, body: call.views.pullDetails(pull) };
  }),

  'pulls/create': inRepo(async (call) => {
    const { site, repo, by } = call;
    const body = call.body as { title?: string; head: string; base: string; body?: string; draft?: boolean };
    if (body.title === undefined)
      throw new Refusal(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'missing_field', field: 'title' }]);
    demandBody('PullRequest', body.body);
    const [owner, branch] = body.head.includes(':') ? body.head.split(':') : [repo.owner.login, body.head];
    const headRepo = site.world.repos.find(
      (it) => !it.deleted && same(it.owner.login, owner ?? '') && (it === repo || it.parent === repo),
    );
    if (headRepo === undefined || branch === undefined) throw invalid('PullRequest', 'head');
    const { title, base, draft = false } = body;
    const pull = await openPull(site, {
      repo,
      headRepo,
      headBranch: branch,
      base,
      title,
      body: body.body ?? null,
      draft,
      by,
    });
    return { status: 201, body: call.views.pullDetails(pull) };
  }),

  'pulls/update': inRepo(async (call) => {
    const pull = here(call);
    const { site, repo, by, credential } = call;
    const body = call.body as { title?: string; body?: string; state?: 'open' | 'closed'; base?: string };
    const may = credential.kind === 'installation' || pull.author.id === by.id || atLeast(levelOf(repo, by), 'write');
    if (!may) throw new Refusal(403, 'Must have admin rights to Repository.');
    demandBody('PullRequest', body.body);
    if (body.state === 'closed') closePull(site, pull, by);
    if (body.state === 'open') await reopenPull(site, pull, by);
    await editPull(site, pull, body, by);
    return { status: 200, body: call.views.pullDetails(pull) };
  }),

  'pulls/merge': inRepo(async (call) => {
    const body = (call.body ?? {}) as { merge_method?: MergeMethod; commit_title?: string; sha?: string };
    const request = {
      method: body.merge_method ?? 'merge',
      ...(body.commit_title === undefined ? {} : { title: body.commit_title }),
      ...(body.sha === undefined ? {} : { sha: body.sha }),
    };
    const sha = await mergePull(call.site, here(call), request, call.by);
    return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
  }),

  'pulls/list-reviews': inRepo((call) => {
    const pull = here(call);
    return { status: 200, list: pull.pull.reviews.map((it) => call.views.review(it, pull)) };
  }),
} satisfies Record<string, Handler>;
