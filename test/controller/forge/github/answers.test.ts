/** Records made of GitHub's answers. */
import { describe, expect, it } from 'vitest';
import { askersOf, commentOf, PullAnswer, permissionOf, pullOf } from '../../../../controller/forge/github/answers.ts';
import { isFork, Pull } from '../../../../schemas/forge.ts';

const SHA = 'a'.repeat(40);
const user = { id: 7, login: 'ann', type: 'User' };

function pull(more: object = {}) {
  return PullAnswer.parse({
    number: 3,
    state: 'open',
    title: 'Web 2',
    user,
    head: { ref: 'web-2', sha: SHA, repo: { id: 1, name: 'fleet' } },
    base: { ref: 'main', sha: SHA, repo: { id: 1 } },
    updated_at: '2026-05-01T12:00:00Z',
    merge_commit_sha: 'b'.repeat(40),
    auto_merge: null,
    ...more,
  });
}

describe('a pull request', () => {
  it('is a record of ours, whatever else GitHub says of it', () => {
    expect(Pull.parse(pullOf(pull()))).toMatchObject({ state: 'open', mergeCommit: null, labels: [], draft: false });
  });

  it('is merged when it has a time of merging; a merge commit without one is only a trial', () => {
    const merged = pullOf(pull({ state: 'closed', merged_at: '2026-05-01T12:00:00Z' }));
    expect(merged).toMatchObject({ state: 'merged', mergeCommit: 'b'.repeat(40) });
    expect(pullOf(pull({ state: 'closed' }))).toMatchObject({ state: 'closed', mergeCommit: null });
  });

  it('is a fork when its head repository is another one or gone', () => {
    const gone = pullOf(pull({ head: { ref: 'x', sha: SHA, repo: null } }));
    const other = pullOf(pull({ head: { ref: 'x', sha: SHA, repo: { id: 2 } } }));
    expect([gone, other, pullOf(pull())].map((it) => isFork(it))).toEqual([true, true, false]);
  });

  it("of an account that is gone is by GitHub's ghost", () => {
    expect(pullOf(pull({ user: null })).author.login).toBe('ghost');
  });

  it('has a title and a login of bounded length', () => {
    const record = pullOf(pull({ title: '😀'.repeat(5000), user: { ...user, login: 'l'.repeat(5000) } }));
    expect(record.title.length).toBeLessThanOrEqual(300);
    expect(record.author.login.length).toBe(100);
  });
});

describe('a comment', () => {
  const answer = { id: 1, body: null, user, created_at: '2026-05-01T12:00:00Z', updated_at: '2026-05-01T12:00:00Z' };

  it('belongs to a pull request only when its page says so', () => {
    const of = (html_url: string) => commentOf({ ...answer, html_url })?.pull ?? null;
    expect(of('https://github.com/acme/fleet/pull/12#issuecomment-1')).toBe(12);
    expect(of('https://github.com/pull/pull/pull/12#issuecomment-1')).toBe(12);
    expect(of('https://github.com/acme/fleet/issues/12#issuecomment-1')).toBeNull();
    expect(of('https://github.com/acme/pull/12')).toBeNull();
  });
});

describe('a permission', () => {
  it.each([
    ['admin', 'admin', 'admin'],
    ['write', 'maintain', 'maintain'],
    ['write', 'write', 'write'],
    ['write', 'release-manager', 'write'],
    ['write', 'admin', 'write'],
    ['read', 'triage', 'triage'],
    ['read', 'maintain', 'read'],
    ['read', null, 'read'],
    ['none', 'none', 'none'],
    ['owner', 'admin', null],
  ])('%s with the role %s is %s', (permission, role_name, expected) => {
    expect(permissionOf({ permission, role_name })).toBe(expected);
  });
});

describe('a change request', () => {
  const by = (id: number, state: string) => ({ id: 1, state, user: { ...user, id, login: `u${id}` } });

  it("counts while it is its user's last word", () => {
    const asked = by(1, 'CHANGES_REQUESTED');
    const askers = (...reviews: Parameters<typeof askersOf>[0]) => askersOf(reviews).map((it) => it.id);
    expect(askers(asked)).toEqual([1]);
    expect(askers(asked, by(1, 'COMMENTED'), by(2, 'APPROVED'))).toEqual([1]);
    expect(askers(asked, by(1, 'APPROVED'))).toEqual([]);
    expect(askers(asked, by(1, 'DISMISSED'))).toEqual([]);
    expect(askers(by(1, 'APPROVED'), asked)).toEqual([1]);
    expect(askers({ ...asked, user: null })).toEqual([]);
  });
});
