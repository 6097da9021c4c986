/** What GitHub's refusals mean. */
import { describe, expect, it } from 'vitest';
import {
  type Failed,
  failureOf,
  isMissing,
  isUnclear,
  limitEnd,
  readFailed,
} from '../../../../controller/forge/github/failures.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const STATUSES = 'POST /repos/{owner}/{repo}/statuses/{sha}';

function failed(status: number, headers: Failed['headers'] = {}, said = ''): Failed {
  return { status, headers, said, network: null, installing: false };
}

function errorOf(it: Failed, route = STATUSES) {
  return failureOf(it, { forge: 'GitHub', repository: 'acme/fleet', route, credential: 'SLIPWAY_FORGE_TOKEN' });
}

describe('a request that GitHub refuses', () => {
  it('names the right that is missing, in the words of its answer where it has some', () => {
    const header = { 'x-accepted-github-permissions': 'issues=write; pull_requests=write' };
    expect(errorOf(failed(403, header, 'Resource not accessible by integration')).message).toBe(
      'GitHub refuses POST /repos/acme/fleet/statuses/{sha} (403: Resource not accessible by integration): ' +
        'they need "issues: write or pull requests: write" on acme/fleet',
    );
    expect(errorOf(failed(403)).message).toContain('"commit statuses: write" on acme/fleet');
    expect(errorOf(failed(404), 'GET /repos/{owner}/{repo}/pulls').message).toContain('"pull requests: read"');
  });

  it('names the scope that a classic token lacks', () => {
    const headers = { 'x-accepted-oauth-scopes': 'repo:status, repo', 'x-oauth-scopes': 'gist' };
    expect(errorOf(failed(404, headers)).message).toContain('the scope repo:status or repo');
    const held = { ...headers, 'x-oauth-scopes': 'repo' };
    expect(errorOf(failed(404, held)).message).toContain('"commit statuses: write"');
  });

  it.each([
    [401, 'FORGE_REFUSED', 'SLIPWAY_FORGE_TOKEN'],
    [403, 'FORGE_REFUSED', 'refuses'],
    [404, 'FORGE_REFUSED', 'may not see it'],
    [409, 'FORGE_INVALID', 'refuses'],
    [422, 'FORGE_INVALID', 'refuses'],
    [500, 'FORGE_UNAVAILABLE', 'answered 500'],
    [503, 'FORGE_UNAVAILABLE', 'answered 503'],
    [301, 'FORGE_UNAVAILABLE', 'answered 301'],
  ])('%i is %s', (status, code, words) => {
    const error = errorOf(failed(status));
    expect(error).toMatchObject({ code, details: { status } });
    expect(error.message).toContain(words);
    expect(isMissing(error)).toBe(status === 404);
    expect(isUnclear(error)).toBe(code === 'FORGE_UNAVAILABLE');
  });

  it("quotes GitHub's words on one line, visible and bounded", () => {
    const data = {
      message: 'Validation\nFailed',
      errors: [{ field: 'body', code: 'too_long' }, 'x‮y', { message: 'm' }],
    };
    const error = Object.assign(new Error('x'), { status: 422, response: { data, headers: {} } });
    expect(readFailed(error)?.said).toBe(String.raw`Validation Failed; body: too_long; x\u{202e}y; m`);
    const long = Object.assign(new Error('x'), { status: 422, response: { data: { message: 'w '.repeat(9999) } } });
    expect(readFailed(long)?.said.length).toBeLessThanOrEqual(300);
  });

  it('says where an App has to be installed', () => {
    const request = { url: 'https://api.github.com/repos/acme/fleet/installation' };
    const error = Object.assign(new Error('Not Found'), { status: 404, request, response: { data: {} } });
    const asked = readFailed(error);
    expect(asked === null ? '' : errorOf(asked).message).toContain('install the App on acme/fleet');
  });

  it('an error that is no answer is not taken for one', () => {
    expect(readFailed(new TypeError('a bug'))).toBeNull();
  });
});

describe('the end of a limit', () => {
  it('is what retry-after says', () => {
    expect(limitEnd(failed(403, { 'retry-after': '30' }), NOW)).toBe(NOW + 30_000);
    expect(limitEnd(failed(429, { 'retry-after': '1' }), NOW)).toBe(NOW + 1000);
  });

  it("is the reset of an exhausted quota, by the server's clock", () => {
    const reset = String(NOW / 1000 + 3600 + 60);
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    const date = new Date(NOW + 3_600_000).toUTCString();
    expect(limitEnd(failed(403, { ...headers, date }), NOW)).toBe(NOW + 61_000);
    expect(limitEnd(failed(403, { ...headers, 'x-ratelimit-reset': '1' }), NOW)).toBe(NOW);
    expect(limitEnd(failed(403, { ...headers, 'x-ratelimit-remaining': '9' }), NOW)).toBeNull();
  });

  it('is a minute away where GitHub does not say', () => {
    expect(limitEnd(failed(403, {}, 'You have exceeded a secondary rate limit'), NOW)).toBe(NOW + 60_000);
    expect(limitEnd(failed(429), NOW)).toBe(NOW + 60_000);
  });

  it('does not exist for other refusals', () => {
    expect(limitEnd(failed(403, {}, 'Resource not accessible'), NOW)).toBeNull();
    expect(limitEnd(failed(500, { 'retry-after': '30' }), NOW)).toBeNull();
  });
});
