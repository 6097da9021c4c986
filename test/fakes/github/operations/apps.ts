/** Operations of Apps: their own tokens, and check runs, which nobody else may write. */
import { revisionOf } from '../bare.ts';
import { nodeId } from '../commit-views.ts';
import type { Json } from '../filler.ts';
import { type App, type CheckRun, type Installation, type Permissions, Refusal, same, type World } from '../state.ts';
import type { Views } from '../views.ts';
import { type Call, type Handler, inRepo, must, notFound, numberOf, type RepoCall } from './call.ts';

function appOf({ credential }: Call): App {
  if (credential.kind !== 'app' && credential.kind !== 'installation') throw notFound();
  return credential.app;
}

const appView = (app: App, views: Views): Json => ({
  id: app.id,
  slug: app.slug,
  node_id: nodeId('App', app.id),
  client_id: `Iv1.${app.id}`,
  name: app.slug,
  owner: views.user({ id: app.id, login: app.slug, type: 'Organization' }),
  description: null,
  permissions: app.installations[0]?.permissions ?? {},
  events: [],
});

const installationView = (it: Installation, app: App, views: Views): Json => ({
  id: it.id,
  account: views.user(it.account),
  repository_selection: it.repositoryIds === null ? 'all' : 'selected',
  app_id: app.id,
  app_slug: app.slug,
  target_id: it.account.id,
  target_type: it.account.type,
  permissions: it.permissions,
});

interface CheckBody {
  readonly name?: string;
  readonly head_sha?: string;
  readonly status?: string;
  readonly conclusion?: string;
  readonly details_url?: string;
  readonly external_id?: string;
  readonly completed_at?: string;
  readonly output?: { title?: string; summary?: string; text?: string; annotations?: Json[] };
  readonly actions?: Json[];
}

function apply(run: CheckRun, body: CheckBody, { nowText }: World): CheckRun {
  const { output } = body;
  // A conclusion completes it.
  const status = body.conclusion === undefined ? (body.status ?? run.status) : 'completed';
  if (status === 'completed' && (body.conclusion ?? run.conclusion) === null)
    throw new Refusal(422, 'Invalid request.\n\nNo subschema in "anyOf" matched.\n"conclusion" wasn\'t supplied.');
  run.name = body.name ?? run.name;
  run.status = status;
  run.conclusion = status === 'completed' ? (body.conclusion ?? run.conclusion) : null;
  run.detailsUrl = body.details_url ?? run.detailsUrl;
  run.externalId = body.external_id ?? run.externalId;
  run.completedAt = status === 'completed' ? (body.completed_at ?? nowText()) : null;
  run.title = output?.title ?? run.title;
  run.summary = output?.summary ?? run.summary;
  run.text = output?.text ?? run.text;
  run.annotations.push(...(output?.annotations ?? []));
  run.actions = body.actions ?? run.actions;
  return run;
}

const runOf = (call: RepoCall) => must(call.repo.checkRuns.find((it) => it.id === numberOf(call, 'check_run_id')));

export const APPS = {
  'apps/get-authenticated': (call) => ({ status: 200, body: appView(appOf(call), call.views) }),

  'apps/get-repo-installation': inRepo((call) => {
    const app = appOf(call);
    const found = app.installations.find(
      (it) => it.account.id === call.repo.owner.id && (it.repositoryIds?.includes(call.repo.id) ?? true),
    );
    return { status: 200, body: installationView(must(found), app, call.views) };
  }),

  'apps/create-installation-access-token': (call) => {
    const app = appOf(call);
    const installation = must(app.installations.find((it) => it.id === numberOf(call, 'installation_id')));
    const asked = (call.body ?? {}) as {
      permissions?: Permissions;
      repositories?: string[];
      repository_ids?: number[];
    };
    const named = asked.repositories?.map((name) => {
      const found = call.site.world.repos.find((it) => it.owner.id === installation.account.id && same(it.name, name));
      if (found === undefined)
        throw new Refusal(
          422,
          'There is at least one repository that does not exist or is not accessible to the parent installation.',
        );
      return found.id;
    });
    const ids = asked.repository_ids ?? named;
    const { token, expiresAtMs, permissions, repositoryIds } = call.tokens.installation({
      app,
      installation,
      ...(asked.permissions === undefined ? {} : { permissions: asked.permissions }),
      ...(ids === undefined ? {} : { repositoryIds: ids }),
    });
    const expires = `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`;
    const selection = repositoryIds === null ? 'all' : 'selected';
    return {
      status: 201,
      body: {
        token,
        expires_at: expires,
        permissions: { metadata: 'read', ...permissions },
        repository_selection: selection,
      },
    };
  },

  'checks/create': inRepo(async (call) => {
    const { repo, site, views } = call;
    const body = call.body as CheckBody & { name: string; head_sha: string };
    if ((await revisionOf(repo.dir, body.head_sha)) === null)
      throw new Refusal(422, `No commit found for SHA: ${body.head_sha}`);
    const run: CheckRun = {
      id: site.world.nextId(),
      appId: appOf(call).id,
      sha: body.head_sha,
      name: body.name,
      status: 'queued',
      conclusion: null,
      detailsUrl: null,
      externalId: null,
      startedAt: site.world.nowText(),
      completedAt: null,
      title: null,
      summary: null,
      text: null,
      annotations: [],
      actions: [],
    };
    repo.checkRuns.push(apply(run, body, site.world));
    return { status: 201, body: views.checkRun(run, repo) };
  }),

  'checks/update': inRepo((call) => {
    const run = runOf(call);
    if (run.appId !== appOf(call).id)
      throw new Refusal(
        403,
        'Invalid app_id `' +
          String(appOf(call).id) +
          '` - check run can only be modified by the GitHub App that created it.',
      );
    return { status: 200, body: call.views.checkRun(apply(run, call.body as CheckBody, call.site.world), call.repo) };
  }),

  'checks/get': inRepo((call) => ({ status: 200, body: call.views.checkRun(runOf(call), call.repo) })),

  'checks/list-for-ref': inRepo(async ({ repo, path, query, views }) => {
    const ref = path['ref'] ?? '';
    const sha = repo.refs.get(`refs/heads/${ref}`) ?? (await revisionOf(repo.dir, ref));
    const fits = (it: CheckRun) =>
      it.sha === sha &&
      (query.get('check_name') ?? it.name) === it.name &&
      (query.get('status') ?? it.status) === it.status &&
      (query.get('app_id') ?? String(it.appId)) === String(it.appId);
    const found = repo.checkRuns.filter(fits).toReversed();
    // `filter=latest`, which is meant when nothing is said: the newest of each name.
    const names = new Set<string>();
    const latest = found.filter((it) => !names.has(it.name) && names.add(it.name));
    const list = (query.get('filter') === 'all' ? found : latest).map((it) => views.checkRun(it, repo));
    return { status: 200, list, wrap: (page) => ({ total_count: list.length, check_runs: page }) };
  }),
} satisfies Record<string, Handler>;
