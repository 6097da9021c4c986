/** The GitHub of our tests by the real client: who may do what, pages, limits and faults. */
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Github, startGithub } from './github/github.ts';
import type { Repository } from './github/repository.ts';

let github: Github;
let fleet: Repository;
const AT = { owner: 'acme', repo: 'fleet' };
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

function as(token: string): Octokit {
  return new Octokit({ baseUrl: github.apiUrl, auth: token, log: QUIET });
}

/** Status and words of a refusal. */
async function refusal(asked: Promise<unknown>): Promise<string> {
  return await asked.then(
    () => 'nothing was refused',
    (error: { status: number; message: string }) => `${error.status} ${error.message.split(' - ')[0]}`,
  );
}

beforeAll(async () => {
  github = await startGithub();
  for (const login of ['ada', 'bob', 'eve', 'slipway-bot']) github.user(login);
  fleet = await github.repository('acme/fleet', {
    collaborators: { ada: 'maintain', bob: 'triage', 'slipway-bot': 'write' },
  });
  github.team('acme', 'deployers', { ada: 'active', bob: 'pending', 'slipway-bot': 'active' });
  await fleet.commit('topic', { 'a.toml': 'a = 1\n' }, { by: 'ada' });
  await fleet.openPull({ head: 'topic', title: 'Topic', by: 'ada' });
});

afterAll(async () => await github.close());

describe('who may do what', () => {
  it('lets nobody but Apps write check runs', async () => {
    const check = { ...AT, name: 'x', head_sha: fleet.pull(1).pull.headSha };
    const classic = as(github.classicToken('slipway-bot'));
    const fine = as(github.fineGrainedToken('slipway-bot', { checks: 'write', contents: 'write' }));
    expect(await refusal(classic.checks.create(check))).toBe('403 You must authenticate via a GitHub App.');
    expect(await refusal(fine.checks.create(check))).toBe('403 Resource not accessible by personal access token');
  });

  it('holds fine-grained tokens to their permissions and repositories', async () => {
    const fine = as(github.fineGrainedToken('slipway-bot', { pull_requests: 'read' }));
    await fine.pulls.list(AT);
    expect(await refusal(fine.issues.createComment({ ...AT, issue_number: 1, body: 'x' }))).toBe(
      '403 Resource not accessible by personal access token',
    );
    expect(
      await refusal(as(github.fineGrainedToken('slipway-bot', { pull_requests: 'read' }, [])).pulls.list(AT)),
    ).toBe('404 Not Found');
  });

  it('holds classic tokens to their scopes and to what the user may', async () => {
    const sha = fleet.pull(1).pull.headSha;
    const status = { ...AT, sha, state: 'success' as const, context: 'scopes' };
    expect(
      (await as(github.classicToken('slipway-bot', ['repo:status'])).repos.createCommitStatus(status)).status,
    ).toBe(201);
    expect(await refusal(as(github.classicToken('slipway-bot', ['read:org'])).pulls.list(AT))).toBe('404 Not Found');
    expect(await refusal(as(github.classicToken('bob')).repos.createCommitStatus(status))).toBe('404 Not Found');
    expect(
      await refusal(as(github.classicToken('bob')).repos.getCollaboratorPermissionLevel({ ...AT, username: 'ada' })),
    ).toBe('403 Must have push access to view collaborator permission.');
    expect(await refusal(as(github.classicToken('eve')).repos.get(AT))).toBe('404 Not Found');
  });

  it('says what people may do as GitHub does, also of strangers', async () => {
    const bot = as(github.classicToken('slipway-bot'));
    const level = async (username: string) => {
      const { data } = await bot.repos.getCollaboratorPermissionLevel({ ...AT, username });
      return `${data.permission} ${data.role_name}`;
    };
    expect(await level('ada')).toBe('write maintain');
    expect(await level('bob')).toBe('read triage');
    expect(await level('eve')).toBe('none none');
    expect(await refusal(bot.repos.getCollaboratorPermissionLevel({ ...AT, username: 'nobody' }))).toBe(
      '404 nobody is not a user',
    );
  });

  it('shows teams to members of the organization, and pending members as pending', async () => {
    const member = { org: 'acme', team_slug: 'deployers', username: 'bob' };
    const { data } = await as(github.classicToken('slipway-bot', ['read:org'])).teams.getMembershipForUserInOrg(member);
    expect(data.state).toBe('pending');
    expect(await refusal(as(github.classicToken('slipway-bot')).teams.getMembershipForUserInOrg(member))).toMatch(
      /^403/,
    );
    expect(await refusal(as(github.classicToken('eve', ['read:org'])).teams.getMembershipForUserInOrg(member))).toBe(
      '404 Not Found',
    );
  });

  it('ends tokens of installations after an hour, and gives them no more than the installation has', async () => {
    const world = await startGithub();
    const { repo } = await world.repository('acme/fleet');
    const app = world.app('slipway');
    const token = world.installationToken(app, world.install(app, repo.owner.login, { pull_requests: 'read' }));
    const octokit = new Octokit({ baseUrl: world.apiUrl, auth: token, log: QUIET });
    await octokit.pulls.list(AT);
    expect(await refusal(octokit.users.getAuthenticated())).toBe('403 Resource not accessible by integration');
    expect(await refusal(octokit.repos.listDeployments(AT))).toBe('403 Resource not accessible by integration');
    world.advance(3_600_001);
    expect(await refusal(octokit.pulls.list(AT))).toBe('401 Bad credentials');
    await world.close();
  });
});

describe('pages, limits and faults', () => {
  it('pages through many comments by links', async () => {
    const number = fleet.openIssue('ada', 'Many');
    for (let at = 0; at < 250; at++) fleet.comment(number, 'ada', `comment ${at}`);
    const bot = as(github.classicToken('slipway-bot'));
    const seen = github.requests.length;
    const all = await bot.paginate(bot.issues.listComments, { ...AT, issue_number: number, per_page: 100 });
    expect([all.length, all.at(-1)?.body, github.requests.length - seen]).toEqual([250, 'comment 249', 3]);
  });

  it('answers 304 for what is known already, and does not count it', async () => {
    const bot = as(github.classicToken('slipway-bot'));
    const { headers } = await bot.pulls.list(AT);
    const again = () =>
      bot.request('GET /repos/{owner}/{repo}/pulls', { ...AT, headers: { 'if-none-match': headers.etag ?? '' } });
    const error = (await again().catch((it: unknown) => it)) as {
      status: number;
      response: { headers: Record<string, string> };
    };
    expect(error.status).toBe(304);
    expect(error.response.headers['x-ratelimit-remaining']).toBe(headers['x-ratelimit-remaining']);
    fleet.comment(1, 'ada', 'which makes it updated');
    github.advance(2000);
    fleet.comment(1, 'ada', 'once more');
    expect((await again()).status).toBe(200);
  });

  it('refuses when the hour is used up, until it is over', async () => {
    const world = await startGithub();
    world.limits.perHour = 2;
    world.user('ada');
    const octokit = new Octokit({ baseUrl: world.apiUrl, auth: world.classicToken('ada'), log: QUIET });
    await octokit.users.getAuthenticated();
    expect((await octokit.users.getAuthenticated()).headers['x-ratelimit-remaining']).toBe('0');
    expect(await refusal(octokit.users.getAuthenticated())).toBe('403 API rate limit exceeded for this user.');
    expect((await octokit.rateLimit.get()).data.rate.remaining).toBe(0);
    world.advance(3_600_001);
    await octokit.users.getAuthenticated();
    await world.close();
  });

  it('refuses writes by the secondary limit as often as it is told', async () => {
    Object.assign(github.limits.secondary, { writes: 1, retryAfterSeconds: 7 });
    const bot = as(github.classicToken('slipway-bot'));
    const comment = () => bot.issues.createComment({ ...AT, issue_number: 1, body: 'x' });
    const error = (await comment().catch((it: unknown) => it)) as {
      status: number;
      response: { headers: Record<string, string> };
    };
    expect([error.status, error.response.headers['retry-after']]).toEqual([403, '7']);
    expect((await comment()).status).toBe(201);
  });

  it('refuses texts that GitHub would not take', async () => {
    const bot = as(github.classicToken('slipway-bot'));
    const sha = fleet.pull(1).pull.headSha;
    const long = (what: object) => refusal(bot.repos.createCommitStatus({ ...AT, sha, state: 'success', ...what }));
    expect(await refusal(bot.issues.createComment({ ...AT, issue_number: 1, body: 'x'.repeat(65_537) }))).toMatch(
      /^422 .*body is too long/,
    );
    expect(await long({ context: 'x'.repeat(256) })).toMatch(/^422 .*context is too long/);
    expect(await long({ description: 'x'.repeat(141) })).toMatch(/^422 .*description is too long/);
    expect(await long({ target_url: 'slipway' })).toMatch(/^422 .*must use http/);
    expect(await refusal(bot.repos.createCommitStatus({ ...AT, sha: 'b'.repeat(40), state: 'success' }))).toMatch(
      /^422 No commit found/,
    );
  });

  it('loses answers before and after the work is done', async () => {
    const bot = as(github.classicToken('slipway-bot'));
    const number = fleet.openIssue('ada', 'Faults');
    const comment = () => bot.issues.createComment({ ...AT, issue_number: number, body: 'x' });
    const operation = 'issues/create-comment';
    github.fail({ what: 'status', when: 'before', operation, times: 1 });
    expect(await refusal(comment())).toMatch(/^502/);
    expect(fleet.commentsOf(number)).toHaveLength(0);
    github.fail({ what: 'status', when: 'after', operation, times: 1 });
    expect(await refusal(comment())).toMatch(/^502/);
    github.fail({ what: 'cut', when: 'after', operation, times: 1 });
    expect(await refusal(comment())).toMatch(/^500/);
    expect(fleet.commentsOf(number)).toHaveLength(2);
    github.fail({ what: 'hang', operation, times: 1 });
    const request = { signal: AbortSignal.timeout(50) };
    expect(await refusal(bot.issues.createComment({ ...AT, issue_number: number, body: 'x', request }))).toMatch(
      /aborted|timeout/i,
    );
    expect((await comment()).status).toBe(201);
  });

  it('leads from the old name of a repository to the new one', async () => {
    const moved = await github.repository('acme/before', { collaborators: { 'slipway-bot': 'write' } });
    moved.rename('after');
    const { data } = await as(github.classicToken('slipway-bot')).repos.get({ owner: 'acme', repo: 'before' });
    expect([data.name, data.id]).toEqual(['after', moved.id]);
  });
});

describe('deployments and statuses', () => {
  const deployments = async (name: string) => {
    const repository = await github.repository(`acme/${name}`, { collaborators: { 'slipway-bot': 'write' } });
    const bot = as(github.classicToken('slipway-bot'));
    const here = { owner: 'acme', repo: name };
    const deploy = async (more: object) => {
      const made = await bot.repos.createDeployment({ ...here, ref: 'topic', environment: 'preview', ...more });
      return { status: made.status as number, id: (made.data as { id?: number }).id ?? 0 };
    };
    return { repository, bot, here, deploy };
  };

  it('merges the default branch in, or waits for statuses, unless told not to', async () => {
    const { repository, bot, here, deploy } = await deployments('deployed');
    const behind = await repository.commit('topic', { 'a.toml': '' });
    const main = await repository.commit('main', { 'b.toml': '' });
    expect((await deploy({ required_contexts: [] })).status).toBe(202);
    expect(await repository.git(['show', '-s', '--format=%P', 'topic'])).toBe(`${behind} ${main}`);
    const sha = (await repository.revision('topic')) ?? '';
    await bot.repos.createCommitStatus({ ...here, sha, state: 'pending', context: 'ci' });
    expect(await refusal(deploy({ auto_merge: false }))).toMatch(/^409 Conflict: Commit status checks failed/);
    expect((await deploy({ auto_merge: false, required_contexts: [] })).status).toBe(201);
    expect(await refusal(deploy({ ref: 'nowhere' }))).toMatch(/^422 No ref found for: nowhere/);
  });

  it('makes older deployments of an environment inactive when one succeeds, but for transient ones', async () => {
    const { repository, bot, here, deploy } = await deployments('environments');
    await repository.commit('topic', { 'a.toml': '' });
    const kinds = [{}, { transient_environment: true }, { environment: 'other' }, {}];
    for (const more of kinds) {
      const { id } = await deploy({ auto_merge: false, required_contexts: [], ...more });
      await bot.repos.createDeploymentStatus({ ...here, deployment_id: id, state: 'success' });
    }
    expect(repository.deployments().map((it) => it.state)).toEqual(['inactive', 'success', 'success', 'success']);
  });

  it('keeps at most 1,000 statuses of a context on a commit', async () => {
    const { repository, bot, here } = await deployments('statuses');
    const sha = (await repository.revision('main')) ?? '';
    const status = (context: string) => bot.repos.createCommitStatus({ ...here, sha, state: 'pending', context });
    await status('full');
    const [first] = repository.repo.statuses;
    if (first !== undefined)
      for (let at = 1; at < 1000; at++) repository.repo.statuses.push({ ...first, id: first.id + at });
    expect(await refusal(status('full'))).toMatch(/^422 .*maximum number of statuses/);
    expect((await status('other')).status).toBe(201);
  });
});

describe('many at once', () => {
  it('carries out one change after the other', async () => {
    const bot = as(github.classicToken('slipway-bot'));
    const number = fleet.openIssue('ada', 'Crowd');
    const texts = Array.from({ length: 30 }, (_, at) => `comment ${at}`);
    const made = await Promise.all(
      texts.map(async (body) => (await bot.issues.createComment({ ...AT, issue_number: number, body })).data.id),
    );
    expect(new Set(made).size).toBe(30);
    expect(
      fleet
        .commentsOf(number)
        .map((it) => it.body)
        .toSorted(),
    ).toEqual(texts.toSorted());
  });
});
