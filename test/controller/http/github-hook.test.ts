/** The receiver of GitHub's hooks: all genuine payloads, damaged ones, and what is answered and stored of them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { hintsOf } from '../../../controller/forge/hints.ts';
import { createGithubHook } from '../../../controller/http/github-hook.ts';
import { Delivery } from '../../../schemas/delivery.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { genuineHooks, HOOK_SECRET, hookHeaders, hookRequest, withNulls } from '../../builders/hook.ts';

const REPOSITORY = 35_129_377;
let stored: Map<string, Delivery>;
let twins: Set<string>;
let missed: number;
let heard: (number | null)[];
let put: (delivery: { id: string; twin: string; value: Delivery }) => Promise<'stored' | 'seen'>;
let repositoryId: number | null;

beforeEach(() => {
  stored = new Map();
  twins = new Set();
  [missed, heard, repositoryId] = [0, [], REPOSITORY];
  put = async ({ id, twin, value }) => {
    if (stored.has(id) || twins.has(twin)) return 'seen';
    stored.set(id, value);
    twins.add(twin);
    return 'stored';
  };
});

function receiver(secrets: readonly string[] = [HOOK_SECRET]) {
  return createGithubHook({
    secrets,
    maxBodyBytes: 2 ** 20,
    bodyTimeoutMs: 5_000,
    storeTimeoutMs: 50,
    github: {
      repositoryId: () => repositoryId,
      put: async (delivery) => await put(delivery),
      heard: (number) => heard.push(number),
      missed: () => missed++,
    },
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    log: silentLogger,
  });
}

let sent = 0;
async function deliver(event: string, payload: unknown, id = `d-${++sent}`, hook = receiver()) {
  const body = JSON.stringify(payload);
  const answer = await hook(hookRequest(body, hookHeaders({ event, id, body })));
  return `${answer.status} ${(JSON.parse(answer.body) as { code: string }).code}`;
}

const repository = { id: REPOSITORY };
const pull = { number: 7, updated_at: '2026-01-01T00:00:00Z', head: { sha: 'a'.repeat(40) } };

describe('genuine deliveries', () => {
  it('are all answered with a reason, and stored exactly when they are about us', async () => {
    const hook = receiver();
    repositoryId = null;
    const codes = new Map<string, number>();
    for (const { event, payload } of genuineHooks()) {
      const code = await deliver(event, payload, undefined, hook);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
      '202 ACTION',
      '202 EVENT',
      '202 NOT_A_PULL',
      '202 PING',
      '202 SEEN_BEFORE',
      '202 STORED',
      '202 TAG',
    ]);
    for (const value of stored.values()) Delivery.parse(value);
    const events = new Set([...stored.values()].map((it) => `${it.event} ${it.hint.kind}`));
    expect([...events].toSorted((a, b) => a.localeCompare(b))).toMatchInlineSnapshot(`
      [
        "check_run all",
        "check_run pull",
        "installation all",
        "installation_repositories all",
        "pull_request pull",
        "pull_request_review pull",
        "push push",
        "repository all",
      ]
    `);
  });

  it('never crash it with a null at any level, nor one in the place of any value of those that mean something', async () => {
    const hook = receiver();
    repositoryId = null;
    let count = 0;
    const answers = new Set<string>();
    const whole = new Set<string>();
    for (const { event, payload } of genuineHooks()) {
      const kind = `${event} ${String(payload['action'])}`;
      const meansSomething = 'hint' in hintsOf({ event, payload, delivery: 'd' }) && !whole.has(kind);
      if (meansSomething) whole.add(kind);
      for (const damaged of withNulls(payload, meansSomething)) {
        count += 1;
        answers.add((await deliver(event, damaged, undefined, hook)).slice(0, 4));
      }
    }
    expect(count).toBeGreaterThan(5_000);
    expect([...answers]).toEqual(['202 ']);
    for (const value of stored.values()) Delivery.parse(value);
  }, 180_000);
});

describe('a delivery', () => {
  it('of another repository is dropped, by id, and of none in particular it is taken', async () => {
    expect(await deliver('pull_request', { action: 'opened', pull_request: pull, repository: { id: 1 } })).toBe(
      '202 NOT_OURS',
    );
    expect(await deliver('ping', { repository: { id: 1 } })).toBe('202 NOT_OURS');
    expect([stored.size, heard]).toEqual([0, []]);
    expect(await deliver('installation', { action: 'suspend' })).toBe('202 STORED');
    expect(await deliver('pull_request', { action: 'opened', pull_request: pull, repository })).toBe('202 STORED');
    expect([...stored.values()].map((it) => it.hint)).toEqual([{ kind: 'all' }, { kind: 'pull', number: 7 }]);
    expect(heard).toEqual([null, 7]);
  });

  it('stores what it hints at and nothing that a person wrote', async () => {
    const text = 'a title that nobody needs';
    const user = { login: text, type: 'User' };
    await deliver('push', {
      ref: `refs/heads/${text}`,
      after: 'b'.repeat(40),
      commits: [{ message: text }],
      repository,
    });
    await deliver('issue_comment', {
      action: 'created',
      issue: { number: 7, title: text, pull_request: { url: text } },
      comment: { id: 99, body: text, user },
      repository,
    });
    await deliver('pull_request', { action: 'closed', pull_request: { ...pull, title: text, user }, repository });
    expect([...stored.values()].map((it) => it.hint)).toEqual([
      { kind: 'push' },
      { kind: 'comment', number: 7, id: 99 },
      { kind: 'pull', number: 7 },
    ]);
    expect(JSON.stringify([...stored])).not.toContain(text);
  });

  it('is refused, and missed, when the store fails or does not answer in time', async () => {
    const payload = { action: 'opened', pull_request: pull, repository };
    put = async () => await Promise.reject(new SlipwayError('STATE_FULL', 'no space left'));
    expect(await deliver('pull_request', payload)).toBe('503 NOT_STORED');
    put = async () => await new Promise(() => undefined);
    expect(await deliver('pull_request', payload)).toBe('503 STORE_SLOW');
    expect(missed).toBe(2);
  });

  it('may come as a form, and is refused when it is no JSON or names no event', async () => {
    const payload = JSON.stringify({ action: 'opened', pull_request: pull, repository });
    const form = new URLSearchParams({ payload }).toString();
    const type = 'application/x-www-form-urlencoded; charset=utf-8';
    const send = async (body: string, event: string, headers: Record<string, string> = {}) => {
      const request = hookRequest(body, { ...hookHeaders({ event, body }), ...headers });
      return JSON.parse((await receiver()(request)).body) as { code: string };
    };
    expect(await send(form, 'pull_request', { 'content-type': type })).toMatchObject({ code: 'STORED' });
    for (const body of ['', '{', '\uFFFE', 'payload=%7B']) {
      expect(await send(body, 'pull_request')).toMatchObject({ code: 'NOT_JSON' });
      expect(await send(body, 'pull_request', { 'content-type': type })).toMatchObject({ code: 'NOT_JSON' });
    }
    for (const event of ['', 'Push', '../push']) expect(await send('{}', event)).toMatchObject({ code: 'NO_EVENT' });
    for (const event of ['constructor', '__proto__', 'hasOwnProperty']) {
      expect(['NO_EVENT', 'EVENT']).toContain((await send('{"action":"toString"}', event)).code);
    }
  });

  it('without an id of its own is known by its bytes', async () => {
    const body = JSON.stringify({ action: 'suspend' });
    const send = async () => (await receiver()(hookRequest(body, hookHeaders({ event: 'installation', body })))).body;
    expect(await send()).toContain('"STORED"');
    expect(await send()).toContain('"SEEN_BEFORE"');
  });
});
