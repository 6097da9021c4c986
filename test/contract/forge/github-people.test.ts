/** The GitHub adapter and people: who may what, whose comments are ours, and what is never told. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFork } from '../../../schemas/forge.ts';
import { type FakeBench, fakeBench, type Kind } from './bench.ts';

const MARKER = '<!-- slipway people -->';
const signal = () => AbortSignal.timeout(30_000);

describe.each(['token', 'app'] as const)('people, seen with a %s', (kind: Kind) => {
  let bench: FakeBench;
  beforeAll(async () => {
    bench = await fakeBench(kind);
  });
  afterAll(() => bench.close());

  it('have the permission that GitHub says', async () => {
    const { repository, forge } = bench;
    repository.allow('stranger', 'triage');
    const of = (login: string) => forge.permission(login, signal());
    expect(await Promise.all(['ann', 'bob', 'root', 'stranger', 'nobody'].map(of))).toEqual([
      'write',
      'maintain',
      'admin',
      'triage',
      'none',
    ]);
    repository.allow('stranger', 'none');
    expect(await of('stranger')).toBe('none');
  });

  it('are members of a team only while they are active in it', async () => {
    const of = (login: string, team = '@acme/ops') => bench.forge.isMember(team, login, signal());
    expect(await Promise.all(['ann', 'bob', 'stranger', 'nobody'].map((it) => of(it)))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    await expect(of('ann', '@acme/nowhere')).rejects.toMatchObject({
      code: 'FORGE_REFUSED',
      message: expect.stringContaining('members: read'),
    });
    await expect(of('ann', 'ops')).rejects.toMatchObject({ code: 'FORGE_INVALID' });
  });

  it('cannot take our comment over with its marker', async () => {
    const { repository, forge, us } = bench;
    const { number } = await bench.newPull('impostor');
    repository.comment(number, 'ann', `${MARKER}\nall is well`);
    const wanted = { pull: number, marker: MARKER, body: `${MARKER}\nplan`, known: null };
    await forge.ensureComment(wanted, signal());
    const comments = repository.commentsOf(number);
    expect(comments.map((it) => `${it.by}: ${it.body.split('\n')[1]}`)).toEqual(['ann: all is well', `${us}: plan`]);
    // Nor by giving us theirs as the one that was stored.
    const known = { id: comments[0]?.id ?? 0, url: '', bodyDigest: '' };
    expect((await forge.ensureComment({ ...wanted, known }, signal())).id).toBe(comments[1]?.id);
  });

  it('two comments of ours, from a race, become the older one', async () => {
    const { repository, forge, us } = bench;
    const { number } = await bench.newPull('race');
    const older = repository.comment(number, us, `${MARKER}\nold`);
    repository.comment(number, us, `${MARKER}\nnew`);
    await forge.ensureComment({ pull: number, marker: MARKER, body: `${MARKER}\nplan`, known: null }, signal());
    expect(repository.commentsOf(number).map((it) => [it.id, it.body])).toEqual([[older, `${MARKER}\nplan`]]);
  });
});

describe('pull requests and their people', () => {
  let bench: FakeBench;
  beforeAll(async () => {
    bench = await fakeBench('token');
  });
  afterAll(() => bench.close());

  it('ask for changes until they say something else; those who may not write do not count', async () => {
    const { repository, forge } = bench;
    repository.allow('stranger', 'read');
    const { number } = await bench.newPull('reviews');
    const askers = async () => (await forge.changeRequests(number, signal())).map((it) => it.login);
    const review = repository.review(number, 'bob', 'CHANGES_REQUESTED');
    repository.review(number, 'root', 'CHANGES_REQUESTED');
    repository.review(number, 'stranger', 'CHANGES_REQUESTED');
    repository.review(number, 'bob', 'COMMENTED');
    expect((await askers()).toSorted()).toEqual(['bob', 'root']);
    repository.review(number, 'root', 'APPROVED');
    expect(await askers()).toEqual(['bob']);
    repository.dismiss(number, review, 'root');
    expect(await askers()).toEqual([]);
    repository.allow('stranger', 'none');
  });

  it("comments on issues are nobody's here", async () => {
    const { repository, forge } = bench;
    const issue = repository.openIssue('ann', 'An issue');
    const id = repository.comment(issue, 'ann', '/slipway help');
    expect(await forge.getComment(id, signal())).toBeNull();
    const found = await forge.listComments('2020-01-01T00:00:00Z', signal());
    expect(found.some((it) => it.id === id)).toBe(false);
  });

  it('pull requests of forks are told by id, also when the fork is gone', async () => {
    const { github, repository, forge } = bench;
    const fork = await github.fork(repository, 'stranger');
    await fork.commit('main', { 'a.txt': 'a' });
    const number = await repository.openPull({ head: 'main', from: fork, by: 'stranger' });
    const read = () => forge.getPull(number, signal());
    const before = await read();
    expect(before?.head.repositoryId).toBe(fork.id);
    fork.delete();
    const after = await read();
    expect(after?.head.repositoryId).toBeNull();
    expect([before, after].map((it) => it !== null && isFork(it))).toEqual([true, true]);
  });

  it('a merged pull request names its merge commit; a closed one none', async () => {
    const { repository, forge } = bench;
    const merged = await bench.newPull('squash');
    const tip = await repository.merge(merged.number, 'squash', 'ann');
    expect(await forge.getPull(merged.number, signal())).toMatchObject({ state: 'merged', mergeCommit: tip });
    const closed = await bench.newPull('closed');
    await repository.close(closed.number, 'ann');
    expect(await forge.getPull(closed.number, signal())).toMatchObject({ state: 'closed', mergeCommit: null });
  });

  it('a deployment of a branch that moved is made of the revision instead', async () => {
    const { repository, forge } = bench;
    const { branch, revision } = await bench.newPull('moving');
    await repository.commit(branch, { 'b.txt': 'b' });
    const environment = 'preview/moving';
    const args = { environment, branch, state: 'success', url: 'https://a.example', description: '' } as const;
    await forge.setEnvironment({ ...args, revision }, signal());
    const shown = () => repository.deployments().filter((it) => it.environment === environment);
    expect(shown().map((it) => [it.sha === revision, it.state])).toEqual([
      [false, 'inactive'],
      [true, 'success'],
    ]);
    // The next revision closes the one before, which GitHub does not for transient environments.
    const next = await repository.commit(branch, { 'c.txt': 'c' });
    await forge.setEnvironment({ ...args, revision: next }, signal());
    expect(shown().map((it) => it.state)).toEqual(['inactive', 'inactive', 'success']);
    await forge.setEnvironment({ ...args, revision: next, branch: 'gone', environment: 'preview/gone' }, signal());
    expect(repository.deployments().at(-1)).toMatchObject({ ref: next, state: 'success' });
    await forge.setEnvironment({ ...args, revision: next, state: 'inactive' }, signal());
    expect(new Set(shown().map((it) => it.state))).toEqual(new Set(['inactive']));
  });
});

describe('credentials', () => {
  let bench: FakeBench;
  beforeAll(async () => {
    bench = await fakeBench('token');
  });
  afterAll(() => bench.close());

  it('that may not do a thing: the right is named', async () => {
    const { github, another, newBranch } = bench;
    const token = github.fineGrainedToken('slipbot', { pull_requests: 'read' });
    const forge = another({ credentials: { kind: 'token', token: () => token } });
    const { revision } = await newBranch('no-right');
    const status = { revision, context: 'x', state: 'success', description: '', url: null } as const;
    await expect(forge.setStatus(status, signal())).rejects.toMatchObject({
      code: 'FORGE_REFUSED',
      message: expect.stringMatching(
        /Resource not accessible by personal access token.*"commit statuses: read" on acme\/fleet/,
      ),
    });
  });

  it('that may no longer see the repository: that is refused, and never read as "there is none"', async () => {
    const { github, another } = bench;
    const { number } = await bench.newPull('vanish');
    const token = github.classicToken('stranger', ['repo']);
    const forge = another({ credentials: { kind: 'token', token: () => token } });
    for (const read of [
      () => forge.getPull(number, signal()),
      () => forge.getComment(1, signal()),
      () => forge.permission('ann', signal()),
      () => forge.listPulls(null, signal()),
    ]) {
      await expect(read()).rejects.toMatchObject({ code: 'FORGE_REFUSED' });
    }
  });

  it('that are wrong are named by their variable and never shown', async () => {
    const planted = 'ghp_planted0planted0planted0planted0plan';
    const lines: unknown[] = [];
    const note = (...args: unknown[]) => void lines.push(args);
    const log = { debug: note, info: note, warn: note, error: note };
    const forge = bench.another({ credentials: { kind: 'token', token: () => planted }, log });
    const error: unknown = await forge.getPull(1, signal()).catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'FORGE_REFUSED', message: expect.stringContaining('SLIPWAY_FORGE_TOKEN') });
    const shown = inspect([error, forge, lines], { depth: 20, showHidden: true });
    expect(shown).not.toContain(planted);
    expect(shown).not.toContain(Buffer.from(planted).toString('base64').slice(0, 40));
  });
});
