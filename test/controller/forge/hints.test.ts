/** What deliveries hint at, and which of them tell the same. */
import { describe, expect, it } from 'vitest';
import { commentTwin, hintsOf } from '../../../controller/forge/hints.ts';

const repository = { id: 1, pushed_at: 100 };
const pullRequest = { number: 7, updated_at: '2026-01-01T00:00:00Z', head: { sha: 'a'.repeat(40), repo: null } };

function read(event: string, payload: unknown, delivery = 'd') {
  return hintsOf({ event, delivery, payload });
}

function twin(event: string, payload: unknown, delivery = 'd'): string {
  const found = read(event, payload, delivery);
  if ('ignored' in found) throw new Error(found.ignored);
  return found.twin;
}

describe('a hint', () => {
  const pull = { kind: 'pull', number: 7 };
  const comment = { id: 99, user: { type: 'User' } };
  const onPull = { number: 7, pull_request: {} };
  it.each<[string, object, object]>([
    ['push', { ref: 'refs/heads/main' }, { hint: { kind: 'push' } }],
    ['push', { ref: 'refs/tags/v1' }, { ignored: 'TAG' }],
    ['delete', { ref_type: 'branch' }, { hint: { kind: 'push' } }],
    ['delete', { ref_type: 'tag' }, { ignored: 'TAG' }],
    ['pull_request', { action: 'synchronize', pull_request: pullRequest }, { hint: pull, revision: 'a'.repeat(40) }],
    ['pull_request', { action: 'labeled', pull_request: pullRequest }, { hint: pull }],
    ['pull_request', { action: 'assigned', pull_request: pullRequest }, { ignored: 'ACTION', number: 7 }],
    ['pull_request', { action: 'opened', pull_request: null }, { ignored: 'INCOMPLETE' }],
    ['pull_request', { action: 'opened', pull_request: { number: 0 } }, { ignored: 'INCOMPLETE' }],
    ['pull_request', { action: null, pull_request: pullRequest }, { ignored: 'ACTION' }],
    ['pull_request_review', { action: 'submitted', pull_request: pullRequest }, { hint: pull }],
    ['pull_request_review', { action: 'edited', pull_request: pullRequest }, { ignored: 'ACTION' }],
    ['issue_comment', { action: 'created', issue: onPull, comment }, { hint: { kind: 'comment', number: 7, id: 99 } }],
    ['issue_comment', { action: 'edited', issue: onPull, comment }, { ignored: 'ACTION' }],
    ['issue_comment', { action: 'created', issue: { number: 7 }, comment }, { ignored: 'NOT_A_PULL' }],
    [
      'issue_comment',
      { action: 'created', issue: onPull, comment: { id: 99, user: { type: 'Bot' } } },
      { ignored: 'BOT' },
    ],
    ['check_run', { action: 'rerequested', check_run: { pull_requests: [{ number: 7 }] } }, { hint: pull }],
    ['check_run', { action: 'requested_action', check_run: { pull_requests: [] } }, { hint: { kind: 'all' } }],
    ['check_run', { action: 'created', check_run: {} }, { ignored: 'ACTION' }],
    ['installation_repositories', { action: 'added' }, { hint: { kind: 'all' } }],
    ['repository', { action: 'renamed' }, { hint: { kind: 'all' } }],
    ['repository', { action: 'edited' }, { ignored: 'ACTION' }],
    ['ping', {}, { ignored: 'PING' }],
    ['star', { action: 'created' }, { ignored: 'EVENT' }],
    ['toString', {}, { ignored: 'EVENT' }],
    ['pull_request', { action: 'constructor', pull_request: pullRequest }, { ignored: 'ACTION' }],
  ])('%s %j is %j', (event, payload, expected) => {
    expect(read(event, { ...payload, repository })).toMatchObject(expected);
  });

  it.each([null, 7, 'text', [], [null], { repository: [], pull_request: 'x', issue: 3 }])('survives %j', (payload) => {
    expect(read('pull_request', payload)).toHaveProperty('ignored');
    expect(read('issue_comment', payload)).toHaveProperty('ignored');
    expect(read('push', payload)).toMatchObject({ hint: { kind: 'push' } });
  });
});

describe('twins', () => {
  it('are deliveries of one happening under two ids, such as those of two hooks', () => {
    const told = { action: 'closed', pull_request: pullRequest, repository };
    expect(twin('pull_request', told, 'a')).toBe(twin('pull_request', { ...told, installation: { id: 3 } }, 'b'));
    const push = { ref: 'refs/heads/main', before: 'a', after: 'b', repository };
    expect(twin('push', push, 'a')).toBe(twin('push', push, 'b'));
  });

  it('are a comment that came by a hook and the one that polling found', () => {
    const comment = { action: 'created', issue: { number: 7, pull_request: {} }, comment: { id: 99 }, repository };
    expect(twin('issue_comment', comment)).toBe(commentTwin(1, 99));
  });

  it('are not those that happened again: what was lost by that would never be looked at', () => {
    const later = { ...pullRequest, updated_at: '2026-01-01T00:00:09Z' };
    const told = (action: string, pull: object, more: object = {}) =>
      twin('pull_request', { action, pull_request: pull, repository, ...more });
    const push = (pushedAt: number) =>
      twin('push', { ref: 'refs/heads/main', before: 'a', after: 'b', repository: { id: 1, pushed_at: pushedAt } });
    const all = [
      told('closed', pullRequest),
      told('closed', later),
      told('reopened', pullRequest),
      told('labeled', pullRequest, { label: { id: 1 } }),
      told('labeled', pullRequest, { label: { id: 2 } }),
      told('closed', { ...pullRequest, number: 8 }),
      push(100),
      push(200),
      twin('installation', { action: 'suspend' }, 'a'),
      twin('installation', { action: 'suspend' }, 'b'),
      twin('pull_request', { action: 'closed', pull_request: { number: 7 }, repository }, 'a'),
      twin('pull_request', { action: 'closed', pull_request: { number: 7 }, repository }, 'b'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
