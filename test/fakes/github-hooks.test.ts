/** Deliveries of the GitHub of our tests: signed, shaped as genuine ones are, and lost, doubled or late on demand. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Github, startGithub } from './github/github.ts';
import type { Hook } from './github/hooks.ts';
import type { Repository } from './github/repository.ts';

type Payload = Record<string, unknown>;

let github: Github;
let fleet: Repository;
let hook: Hook;
let receiver: Server;
const got: { headers: IncomingHttpHeaders; raw: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((raw) => {
      got.push({ headers: request.headers, raw });
      response.writeHead(202).end('taken');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  github = await startGithub();
  for (const login of ['ada', 'bob']) github.user(login);
  fleet = await github.repository('acme/fleet', { collaborators: { ada: 'write', bob: 'write' } });
  hook = fleet.hook({ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`, secret: 'first' });
  await fleet.commit('topic', { 'a.toml': 'a = "ä"\n' }, { by: 'ada', message: 'Ümläute' });
  await fleet.openPull({ head: 'topic', by: 'ada', title: 'Topic' });
  await github.settled();
});

afterAll(async () => {
  receiver.close();
  await github.close();
});

beforeEach(() => {
  Object.assign(hook, { mode: 'send', copies: 1, delayMs: 0, secret: 'first' });
  got.splice(0);
});

const bodies = () => got.map(({ raw }) => (JSON.parse(raw) as { comment: { body: string } }).comment.body);

describe('deliveries', () => {
  it('are signed over the bytes that are sent, with the secret of now, each under an id of its own', async () => {
    fleet.comment(1, 'ada', 'ünder the first');
    await github.settled();
    hook.secret = 'second';
    fleet.comment(1, 'ada', 'under the second');
    await github.settled();
    const signed = (secret: string, raw = '') => `sha256=${createHmac('sha256', secret).update(raw).digest('hex')}`;
    expect(got.map((it) => it.headers['x-hub-signature-256'])).toEqual([
      signed('first', got[0]?.raw),
      signed('second', got[1]?.raw),
    ]);
    expect(new Set(got.map((it) => it.headers['x-github-delivery'])).size).toBe(2);
    expect(got[0]?.headers).toMatchObject({ 'x-github-event': 'issue_comment', 'content-type': 'application/json' });
  });

  it('are recorded with the answer, and sent again under the old id', async () => {
    fleet.comment(1, 'ada', 'recorded');
    await github.settled();
    const delivery = hook.of('issue_comment', 'created').at(-1);
    expect(delivery?.attempts).toMatchObject([{ status: 202, body: 'taken' }]);
    await hook.redeliver(delivery?.id ?? '');
    expect(got.map((it) => it.headers['x-github-delivery'])).toEqual([delivery?.id, delivery?.id]);
    expect(got[0]?.raw).toBe(got[1]?.raw);
  });

  it('are lost, and nobody tries again', async () => {
    hook.mode = 'lose';
    fleet.comment(1, 'ada', 'lost');
    await github.settled();
    expect(got).toEqual([]);
    expect(hook.of('issue_comment').at(-1)?.attempts).toEqual([]);
  });

  it('come twice, late, or in another order', async () => {
    hook.copies = 2;
    hook.delayMs = 20;
    fleet.comment(1, 'ada', 'twice');
    expect(got).toEqual([]);
    await github.settled();
    expect(bodies()).toEqual(['twice', 'twice']);
    got.splice(0);
    hook.mode = 'hold';
    for (const body of ['one', 'two', 'three']) fleet.comment(1, 'ada', body);
    await hook.release('reversed');
    expect(bodies()).toEqual(['three', 'two', 'one']);
  });

  it('that nobody answers are recorded as such', async () => {
    const dead = fleet.hook({ url: 'http://127.0.0.1:1/', secret: 'x', events: ['issue_comment'] });
    fleet.comment(1, 'ada', 'to nobody');
    await github.settled();
    expect(dead.deliveries.map((it) => [it.event, it.attempts[0]?.status])).toEqual([
      ['ping', null],
      ['issue_comment', null],
    ]);
  });
});

describe('events', () => {
  it('tell what happened to a pull request, in order', async () => {
    const before = hook.deliveries.length;
    await fleet.commit('story', { 'b.toml': '' }, { by: 'ada' });
    const number = await fleet.openPull({ head: 'story', by: 'ada', draft: true });
    fleet.draft(number, false, 'ada');
    fleet.label(number, 'preview', 'bob');
    fleet.unlabel(number, 'preview', 'bob');
    await fleet.edit(number, { title: 'Story' }, 'ada');
    await fleet.commit('story', { 'b.toml': 'b = 1\n' }, { by: 'ada' });
    const review = fleet.review(number, 'bob', 'APPROVED');
    fleet.dismiss(number, review, 'ada');
    const comment = fleet.comment(number, 'bob', 'plan');
    fleet.editComment(comment, 'bob', 'plan!');
    fleet.deleteComment(comment, 'bob');
    await fleet.close(number, 'ada');
    await fleet.reopen(number, 'ada');
    fleet.draft(number, true, 'ada');
    fleet.draft(number, false, 'ada');
    await fleet.merge(number, 'squash', 'bob');
    const story = hook.deliveries
      .slice(before)
      .map(({ event, action }) => (action === null ? event : `${event} ${action}`));
    expect(story).toEqual([
      'push',
      'pull_request opened',
      'pull_request ready_for_review',
      'pull_request labeled',
      'pull_request unlabeled',
      'pull_request edited',
      'push',
      'pull_request synchronize',
      'pull_request_review submitted',
      'pull_request_review dismissed',
      'issue_comment created',
      'issue_comment edited',
      'issue_comment deleted',
      'pull_request closed',
      'pull_request reopened',
      'pull_request converted_to_draft',
      'pull_request ready_for_review',
      'push',
      'pull_request closed',
    ]);
  });

  it('have every name that all genuine deliveries of the same kind have', async () => {
    await github.settled();
    const kinds = new Map(hook.deliveries.map((it) => [`${it.event} ${it.action}`, it]));
    expect(kinds.size).toBeGreaterThan(14);
    let comparedCount = 0;
    for (const { event, action, raw } of kinds.values()) {
      const genuine =
        EXAMPLES.find(({ name }) => name === event)?.examples.filter((it) => (it['action'] ?? null) === action) ?? [];
      if (genuine.length === 0) continue;
      const wanted = namesOfAll(genuine);
      const ours = JSON.parse(raw) as Payload;
      const names = namesOf(ours);
      comparedCount += wanted.length;
      const missing = wanted.filter((it) => !names.includes(it) && !isEmpty(ours, it));
      expect([event, action, missing]).toEqual([event, action, []]);
    }
    expect(comparedCount).toBeGreaterThan(2500);
  });
});

/** Genuine deliveries, as GitHub documents them. */
const EXAMPLES = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json'), 'utf8'),
) as { name: string; examples: Payload[] }[];

const namesOfAll = (all: readonly Payload[]) =>
  all.map((it) => namesOf(it)).reduce((kept, names) => kept.filter((it) => names.includes(it)));

/** Whether a part of the path is null here, or an App's matter. */
function isEmpty(ours: Payload, path: string): boolean {
  let at: unknown = ours;
  for (const name of path.split('.')) {
    if (name === 'installation' || at === null) return true;
    at = (at as Payload | undefined)?.[name];
  }
  return false;
}

/** Paths of all names, three levels deep. */
function namesOf(value: unknown, depth = 3): string[] {
  if (depth === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, it]) => [
    name,
    ...namesOf(it, depth - 1).map((inner) => `${name}.${inner}`),
  ]);
}
