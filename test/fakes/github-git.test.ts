/** The GitHub of our tests by stock git: clone, push, refs of pull requests, forks, and the ways to merge. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runGit } from '../lab/git-repo.ts';
import { type Github, startGithub } from './github/github.ts';
import type { Repository } from './github/repository.ts';

let github: Github;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'github-clients-'));
  github = await startGithub();
  for (const login of ['ada', 'bob', 'eve']) github.user(login);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await github.close();
});

async function fleetOf(name: string): Promise<Repository> {
  return await github.repository(`acme/${name}`, {
    files: { 'slipway.toml': 'version = 1\n', 'a.toml': 'a = 1\n' },
    collaborators: { ada: 'write', bob: 'read' },
  });
}

/** What git says when it is refused. */
async function refused(args: readonly string[], dir = folder): Promise<string> {
  return await runGit(dir, args).then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );
}

describe('a stock git client', () => {
  it('clones with a token only, and pushes with the right to write only', async () => {
    const fleet = await fleetOf('rights');
    const url = (token?: string) => github.gitUrl(fleet.fullName(), token);
    expect(await refused(['ls-remote', url()])).toContain('could not read Username');
    expect(await refused(['ls-remote', url('wrong')])).toContain('Authentication failed');
    expect(await refused(['ls-remote', url(github.classicToken('eve'))])).toContain('not found');
    const read = join(folder, 'rights');
    await runGit(folder, ['clone', '-q', url(github.classicToken('bob')), read]);
    expect(await refused(['push', 'origin', 'HEAD:refs/heads/topic'], read)).toContain('403');
    const fine = github.fineGrainedToken('ada', { contents: 'read' });
    expect(await refused(['push', url(fine), 'HEAD:refs/heads/topic'], read)).toContain('403');
    await runGit(read, ['push', '-q', url(github.classicToken('ada')), 'HEAD:refs/heads/topic']);
    expect(await fleet.revision('topic')).toBe(await runGit(read, ['rev-parse', 'HEAD']));
  });

  it('moves a pull request by a push, sees its refs, and cannot push to them', async () => {
    const fleet = await fleetOf('refs');
    const dir = join(folder, 'refs');
    await runGit(folder, ['clone', '-q', github.gitUrl(fleet.fullName(), github.classicToken('ada')), dir]);
    await runGit(dir, ['checkout', '-q', '-b', 'topic']);
    await runGit(dir, ['commit', '-q', '--allow-empty', '-m', 'One']);
    await runGit(dir, ['push', '-q', 'origin', 'topic']);
    const number = await fleet.openPull({ head: 'topic', by: 'ada' });
    await runGit(dir, ['commit', '-q', '--allow-empty', '-m', 'Two']);
    await runGit(dir, ['push', '-q', 'origin', 'topic']);
    const head = await runGit(dir, ['rev-parse', 'HEAD']);
    expect(fleet.pull(number).pull.headSha).toBe(head);
    const refs = await runGit(dir, ['ls-remote', 'origin', 'refs/pull/*']);
    expect(refs).toContain(`${head}\trefs/pull/1/head`);
    expect(refs).toContain('refs/pull/1/merge');
    expect(await refused(['push', 'origin', 'HEAD:refs/pull/1/head'], dir)).toContain('deny updating a hidden ref');
    await fleet.protect('main');
    expect(await refused(['push', 'origin', 'HEAD:refs/heads/main'], dir)).toContain('rejected');
    await runGit(dir, ['push', '-q', 'origin', 'HEAD:refs/slipway/namespaces/production']);
    await runGit(dir, ['push', '-q', 'origin', '--delete', 'topic']);
    expect(fleet.pull(number).state).toBe('closed');
  });

  it('merges a pull request by pushing its head into the base', async () => {
    const fleet = await fleetOf('pushed');
    await fleet.commit('topic', { 'a.toml': 'a = 2\n' });
    const number = await fleet.openPull({ head: 'topic', by: 'ada' });
    const head = fleet.pull(number).pull.headSha;
    await fleet.setBranch('main', head, 'ada');
    expect(fleet.pull(number)).toMatchObject({ state: 'closed', pull: { mergeCommitSha: head } });
    expect(fleet.pull(number).pull.mergedAt).not.toBeNull();
  });
});

describe('pull requests', () => {
  it.each([
    ['merge' as const, ['Merge pull request', 'Second', 'First', 'Beside', 'First commit'], 2],
    ['squash' as const, ['topic (#1)', 'Beside', 'First commit'], 1],
    ['rebase' as const, ['Second', 'First', 'Beside', 'First commit'], 1],
  ])('are merged by %s as GitHub does', async (method, titles, parentCount) => {
    const fleet = await fleetOf(method);
    await fleet.commit('topic', { 'b.toml': 'b = 1\n' }, { by: 'ada', message: 'First' });
    await fleet.commit('topic', { 'b.toml': 'b = 2\n' }, { by: 'ada', message: 'Second' });
    await fleet.commit('main', { 'a.toml': 'a = 2\n' }, { message: 'Beside' });
    const number = await fleet.openPull({ head: 'topic', by: 'ada' });
    const revision = await fleet.merge(number, method, 'ada');
    expect(await fleet.revision('main')).toBe(revision);
    expect(fleet.pull(number)).toMatchObject({ state: 'closed', pull: { mergeCommitSha: revision } });
    const log = (await fleet.git(['log', '--topo-order', '--format=%s', 'main'])).split('\n');
    expect(log.map((it, at) => it.startsWith(titles[at] ?? '-'))).toEqual(titles.map(() => true));
    expect((await fleet.git(['log', '-1', '--format=%P', 'main'])).split(' ')).toHaveLength(parentCount);
    expect(await fleet.git(['show', 'main:a.toml', 'main:b.toml'])).toBe('a = 2\nb = 2');
  });

  it('that conflict are not merged by any', async () => {
    const fleet = await fleetOf('conflict');
    await fleet.commit('topic', { 'a.toml': 'a = 2\n' });
    await fleet.commit('main', { 'a.toml': 'a = 3\n' });
    const number = await fleet.openPull({ head: 'topic', by: 'ada' });
    expect(fleet.pull(number).pull.mergeable).toBe(false);
    for (const method of ['merge', 'squash', 'rebase'] as const)
      await expect(fleet.merge(number, method, 'ada')).rejects.toThrow('not mergeable');
    expect(await fleet.revision(`refs/pull/${number}/merge`)).toBeNull();
  });

  it('from a fork have their head in the base, and lose their repository when it is deleted', async () => {
    const fleet = await fleetOf('forked');
    fleet.allow('eve', 'read');
    const fork = await github.fork(fleet, 'eve');
    const head = await fork.commit('topic', { 'a.toml': 'a = 9\n' }, { by: 'eve' });
    const number = await fleet.openPull({ head: 'topic', from: fork, by: 'eve' });
    expect(await fleet.revision(`refs/pull/${number}/head`)).toBe(head);
    const next = await fork.commit('topic', { 'a.toml': 'a = 10\n' }, { by: 'eve' });
    expect(await fleet.revision(`refs/pull/${number}/head`)).toBe(next);
    const octokit = new Octokit({ baseUrl: github.apiUrl, auth: github.classicToken('ada') });
    const ask = async () => (await octokit.pulls.get({ owner: 'acme', repo: 'forked', pull_number: number })).data;
    expect((await ask()).head).toMatchObject({ label: 'eve:topic', sha: next, repo: { id: fork.id, fork: true } });
    fork.delete();
    expect((await ask()).head.repo).toBeNull();
    expect((await octokit.pulls.list({ owner: 'acme', repo: 'forked' })).data[0]?.head.repo).toBeNull();
  });

  it('keep the base they were opened on until they are pushed to or retargeted', async () => {
    const fleet = await fleetOf('base');
    const first = await fleet.revision('main');
    await fleet.commit('topic', { 'b.toml': '' });
    await fleet.setBranch('staging', first, 'ada');
    const number = await fleet.openPull({ head: 'topic', by: 'ada' });
    const moved = await fleet.commit('main', { 'c.toml': '' });
    expect(fleet.pull(number).pull.baseSha).toBe(first);
    await fleet.commit('topic', { 'd.toml': '' });
    expect(fleet.pull(number).pull.baseSha).toBe(moved);
    await fleet.edit(number, { base: 'staging' }, 'ada');
    expect(fleet.pull(number).pull).toMatchObject({ baseBranch: 'staging', baseSha: first });
  });
});
