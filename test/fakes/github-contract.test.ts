/** The GitHub of our tests by the real client: every operation is as GitHub describes it, and mistakes are found. */
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadContract } from './github/contract.ts';
import { type Github, startGithub } from './github/github.ts';
import type { Repository } from './github/repository.ts';
import { RIGHTS } from './github/rights.ts';
import { ANSWERED } from './github/server.ts';

let github: Github;
let fleet: Repository;
const AT = { owner: 'acme', repo: 'fleet' };
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

function as(token: string): Octokit {
  return new Octokit({ baseUrl: github.apiUrl, auth: token, log: QUIET });
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

describe('contract', () => {
  it('answers every operation of the description and says who may ask it', () => {
    const { operationIds } = loadContract();
    expect(ANSWERED.toSorted()).toEqual(operationIds.toSorted());
    expect(Object.keys(RIGHTS).toSorted()).toEqual(operationIds.toSorted());
  });

  it('takes and gives what the description says in all operations, by the real client', async () => {
    const bot = as(github.classicToken('slipway-bot', ['repo', 'read:org']));
    const { data: pull } = await bot.pulls.get({ ...AT, pull_number: 1 });
    const sha = pull.head.sha;
    await bot.users.getAuthenticated();
    await bot.users.getByUsername({ username: 'ada' });
    await bot.rateLimit.get();
    await bot.repos.get(AT);
    await bot.repos.listBranches(AT);
    await bot.repos.getBranch({ ...AT, branch: 'topic' });
    await bot.git.getRef({ ...AT, ref: 'heads/topic' });
    await bot.git.getCommit({ ...AT, commit_sha: sha });
    await bot.repos.getCollaboratorPermissionLevel({ ...AT, username: 'ada' });
    await bot.teams.getByName({ org: 'acme', team_slug: 'deployers' });
    await bot.teams.getMembershipForUserInOrg({ org: 'acme', team_slug: 'deployers', username: 'ada' });

    await bot.pulls.list({ ...AT, state: 'all', sort: 'updated', direction: 'desc', per_page: 100 });
    fleet.review(1, 'bob', 'CHANGES_REQUESTED', 'no');
    expect((await bot.pulls.listReviews({ ...AT, pull_number: 1 })).data[0]?.state).toBe('CHANGES_REQUESTED');
    await fleet.commit('other', { 'b.toml': '' });
    const { data: other } = await bot.pulls.create({
      ...AT,
      head: 'other',
      base: 'main',
      title: 'Other',
      body: 'text',
    });
    await bot.pulls.update({ ...AT, pull_number: other.number, title: 'Another' });
    expect((await bot.pulls.merge({ ...AT, pull_number: other.number, merge_method: 'squash' })).data.merged).toBe(
      true,
    );

    const { data: comment } = await bot.issues.createComment({ ...AT, issue_number: 1, body: 'plan' });
    const one = { ...AT, comment_id: comment.id };
    await bot.issues.get({ ...AT, issue_number: 1 });
    await bot.issues.getComment(one);
    await bot.issues.updateComment({ ...one, body: 'new plan' });
    await bot.issues.listComments({ ...AT, issue_number: 1 });
    await bot.issues.listCommentsForRepo({ ...AT, since: '2020-01-01T00:00:00Z', sort: 'updated', direction: 'asc' });
    expect((await bot.reactions.createForIssueComment({ ...one, content: 'eyes' })).status).toBe(201);
    const { data: reaction, status } = await bot.reactions.createForIssueComment({ ...one, content: 'eyes' });
    expect(status).toBe(200);
    await bot.reactions.listForIssueComment(one);
    await bot.reactions.deleteForIssueComment({ ...one, reaction_id: reaction.id });
    await bot.issues.deleteComment(one);
    await bot.issues.addLabels({ ...AT, issue_number: 1, labels: ['preview'] });
    await bot.issues.removeLabel({ ...AT, issue_number: 1, name: 'preview' });

    await bot.repos.createCommitStatus({ ...AT, sha, state: 'pending', context: 'slipway/production' });
    await bot.repos.createCommitStatus({
      ...AT,
      sha,
      state: 'success',
      context: 'slipway/production',
      target_url: 'https://slipway.test',
    });
    expect((await bot.repos.getCombinedStatusForRef({ ...AT, ref: 'topic' })).data).toMatchObject({
      state: 'success',
      total_count: 1,
    });
    expect((await bot.repos.listCommitStatusesForRef({ ...AT, ref: sha })).data.map((it) => it.state)).toEqual([
      'success',
      'pending',
    ]);

    const environment = {
      environment: 'preview/pr-1',
      required_contexts: [],
      auto_merge: false,
      transient_environment: true,
    };
    const made = await bot.repos.createDeployment({
      ...AT,
      ref: 'topic',
      ...environment,
      production_environment: false,
    });
    const { id } = made.data as { id: number };
    await bot.repos.createDeploymentStatus({
      ...AT,
      deployment_id: id,
      state: 'success',
      environment_url: 'https://pr-1.test',
    });
    await bot.repos.getDeployment({ ...AT, deployment_id: id });
    await bot.repos.listDeployments({ ...AT, environment: 'preview/pr-1' });
    expect((await bot.repos.listDeploymentStatuses({ ...AT, deployment_id: id })).data[0]?.environment_url).toBe(
      'https://pr-1.test',
    );
    expect(fleet.deployments()).toMatchObject([
      { environment: 'preview/pr-1', state: 'success', url: 'https://pr-1.test' },
    ]);

    await appOperations(sha);
    const driven = new Set(github.requests.map((it) => it.operation));
    expect(loadContract().operationIds.filter((it) => !driven.has(it))).toEqual([]);
    github.expectNoViolations();
  });

  /** An App signs as itself, gets a token of its installation, and writes a check run. */
  async function appOperations(sha: string): Promise<void> {
    const app = github.app('slipway');
    const installation = github.install(app, 'acme', { checks: 'write', contents: 'read', pull_requests: 'write' });
    const auth = { appId: app.id, privateKey: app.privateKey };
    const itself = new Octokit({ baseUrl: github.apiUrl, authStrategy: createAppAuth, auth, log: QUIET });
    expect((await itself.apps.getAuthenticated()).data?.slug).toBe('slipway');
    expect((await itself.apps.getRepoInstallation(AT)).data.id).toBe(installation.id);
    const octokit = new Octokit({
      baseUrl: github.enterpriseUrl,
      authStrategy: createAppAuth,
      auth: { ...auth, installationId: installation.id },
      log: QUIET,
    });
    const { data: run } = await octokit.checks.create({
      ...AT,
      name: 'slipway/production',
      head_sha: sha,
      status: 'in_progress',
    });
    const annotation = {
      path: 'a.toml',
      start_line: 1,
      end_line: 1,
      annotation_level: 'failure' as const,
      message: 'no',
    };
    const output = { title: 'Plan', summary: 'text', annotations: [annotation] };
    await octokit.checks.update({ ...AT, check_run_id: run.id, conclusion: 'failure', output });
    const { data } = await octokit.checks.get({ ...AT, check_run_id: run.id });
    expect(data).toMatchObject({ status: 'completed', conclusion: 'failure', output: { annotations_count: 1 } });
    expect((await octokit.checks.listForRef({ ...AT, ref: sha })).data.total_count).toBe(1);
    const { data: comment } = await octokit.issues.createComment({ ...AT, issue_number: 1, body: 'hi' });
    expect(comment.user).toMatchObject({ login: 'slipway[bot]', type: 'Bot' });
    await octokit.issues.deleteComment({ ...AT, comment_id: comment.id });
  }

  it.each([
    [
      'a state that is none',
      'POST /repos/acme/fleet/statuses/{sha}',
      { sha: 'a'.repeat(40), state: 'running' },
      'repos/create-commit-status: body/state must be equal to one of the allowed values',
    ],
    [
      'a wrong name in a body',
      'POST /repos/acme/fleet/issues/1/comments',
      { text: 'x' },
      'issues/create-comment: body must have required property',
    ],
    [
      'a name too many in a body',
      'POST /repos/acme/fleet/issues/1/comments',
      { body: 'x', pinned: true },
      'issues/create-comment: body: unknown name pinned',
    ],
    ['a wrong name in a query', 'GET /repos/acme/fleet/pulls', { limit: 5 }, 'pulls/list: query: unknown name limit'],
    ['a wrong value in a query', 'GET /repos/acme/fleet/pulls', { state: 'opened' }, 'pulls/list: query state: '],
    [
      'a page that is too large',
      'GET /repos/acme/fleet/pulls',
      { per_page: 200 },
      'pulls/list: query per_page: at most 100',
    ],
    ['a number that is none', 'GET /repos/acme/fleet/pulls/first', {}, 'pulls/get: path pull_number: '],
    [
      'an address that is none',
      'GET /repos/acme/fleet/pull/1',
      {},
      'GET /repos/acme/fleet/pull/1: nothing of the description',
    ],
  ])('a test fails over %s', async (_, route, parameters, violation) => {
    await as(github.classicToken('slipway-bot'))
      .request(route, parameters)
      .catch(() => null);
    expect(() => github.expectNoViolations()).toThrow(violation);
    expect(github.forgiveViolations().join('\n')).toContain(violation);
  });
});
