/** GitHub's hooks over real sockets and a real nats-server: what strangers get, and what happens to what is genuine. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createEars } from '../../../controller/forge/ears.ts';
import { createHttpServer } from '../../../controller/http/server.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Store } from '../../../store/port.ts';
import { HOOK_SECRET, hookHeaders } from '../../builders/hook.ts';
import { createFakeForge, REPOSITORY_ID } from '../../fakes/forge.ts';
import { eventually } from '../store/eventually.ts';
import { type NatsStoreLab, servers } from '../store/technologies.ts';

const OLD_SECRET = 'the one before';
let lab: NatsStoreLab;
let store: Store;
let stop: AbortController;
let url: string;
let port: number;
let calls: string[];
let heard: Promise<void>;

beforeAll(async () => {
  const [first] = servers;
  if (first === undefined) throw new Error('there is no nats-server');
  lab = await first.open();
  store = await lab.connect({ deliveryAckMs: 500 });
});
afterAll(async () => await lab?.stop());

beforeEach(async () => {
  stop = new AbortController();
  calls = [];
  const handlers = {
    onPull: async (number: number) => void calls.push(`pull ${number}`),
    onComment: async (id: number) => void calls.push(`comment ${id}`),
    onPush: async () => void calls.push('push'),
    onAll: async () => void calls.push('all'),
  };
  const forge = createFakeForge();
  const args = { store, forge, handlers, clock: systemClock, random: Math.random, log: silentLogger };
  const ears = createEars(args, stop.signal);
  heard = ears.run();
  const server = createHttpServer({
    port: 0,
    secrets: [HOOK_SECRET, OLD_SECRET],
    wake: () => undefined,
    github: ears.hook,
    health: () => ({ ok: true }),
    metrics: () => '',
    log: silentLogger,
    limits: { bodyTimeoutMs: 300, headersTimeoutMs: 300 },
  });
  ({ url, port } = await server.listen(stop.signal));
  await eventually(() => {
    if (!calls.includes('all')) throw new Error('it does not listen yet');
  });
  calls = [];
});
afterEach(async () => {
  stop.abort();
  await heard;
});

async function send(args: {
  event?: string;
  payload?: object;
  body?: string;
  id: string;
  secret?: string;
  headers?: object;
}) {
  const { event = 'pull_request', id, secret = HOOK_SECRET } = args;
  const body = args.body ?? JSON.stringify({ repository: { id: REPOSITORY_ID }, ...args.payload });
  const headers = { ...hookHeaders({ event, id, body, secret }), ...args.headers };
  const response = await fetch(`${url}/hooks/github`, { method: 'POST', body, headers });
  return `${response.status} ${((await response.json()) as { code: string }).code}`;
}

const opened = (number: number, updatedAt: string) => ({
  action: 'opened',
  pull_request: { number, updated_at: updatedAt, head: { sha: 'a'.repeat(40), repo: null } },
});

it('takes what either secret signed, once, and calls whoever acts', async () => {
  const first = { payload: opened(1, 'a'), id: 'r-1' };
  expect(await send({ ...first, secret: 'guessed' })).toBe('401 BAD_SIGNATURE');
  expect(await send(first)).toBe('202 STORED');
  expect(await send(first)).toBe('202 SEEN_BEFORE');
  expect(await send({ ...first, id: 'r-1-again', secret: OLD_SECRET })).toBe('202 SEEN_BEFORE');
  expect(await send({ payload: opened(2, 'a'), id: 'r-2', secret: OLD_SECRET })).toBe('202 STORED');
  expect(await send({ event: 'push', payload: { ref: 'refs/heads/main' }, id: 'r-3' })).toBe('202 STORED');
  await eventually(() => expect(new Set(calls)).toEqual(new Set(['pull 1', 'pull 2', 'push'])));
  expect(calls).toHaveLength(3);
});

it('refuses what is forged, unsigned, too large, cut short or of another type, and stores nothing of it', async () => {
  const payload = opened(9, 'forged');
  const id = 'f-1';
  expect(await send({ payload, id, headers: { 'x-hub-signature-256': '' } })).toBe('401 UNSIGNED');
  expect(await send({ payload, id, headers: { 'content-type': 'text/plain' } })).toBe('415 WRONG_TYPE');
  const changed = JSON.stringify({ ...payload, repository: { id: REPOSITORY_ID } });
  const signed = hookHeaders({ event: 'pull_request', id, body: `${changed} ` });
  expect(await send({ body: changed, id, headers: signed })).toBe('401 BAD_SIGNATURE');
  const large = JSON.stringify({ ...payload, filler: 'x'.repeat(2 ** 20) });
  expect(await send({ body: large, id })).toBe('413 TOO_LARGE');
  expect(await send({ payload: { ...payload, repository: { id: 5 } }, id })).toBe('202 NOT_OURS');
  expect(await send({ payload, id: 'f-2', event: 'star' })).toBe('202 EVENT');
  expect(await send({ body: '{', id })).toBe('400 NOT_JSON');
  // Its id is still good: nothing of all that used it up.
  expect(await send({ payload: opened(3, 'a'), id })).toBe('202 STORED');
  await eventually(() => expect(calls).toEqual(['pull 3']));
});

it('cuts off senders that are slow, or go on past the limit, while others are served', async () => {
  const head = Object.entries(hookHeaders({ event: 'push', id: 's-1', body: '{}' })).map(
    ([name, value]) => `${name}: ${value}`,
  );
  const begin = ['POST /hooks/github HTTP/1.1', 'Host: x', ...head];
  const slow = raw([...begin, 'Content-Length: 2']);
  const endless = raw([...begin, 'Transfer-Encoding: chunked']);
  const pouring = (async () => {
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 200 && !endless.ended(); sent++) {
      endless.socket.write(chunk);
      await sleep(1);
    }
  })();
  expect(await send({ payload: opened(4, 'a'), id: 's-2' })).toBe('202 STORED');
  await Promise.all([slow.closed, endless.closed, pouring]);
  expect(slow.text()).toContain('HTTP/1.1 408');
  expect(endless.text()).toContain('HTTP/1.1 413');
});

it('says within a second that it could not be stored, and what is redelivered later is acted on', async () => {
  await lab.nats.kill();
  const begunAt = performance.now();
  expect(await send({ payload: opened(5, 'a'), id: 'a-1' })).toMatch(/^503 (STORE_SLOW|NOT_STORED)$/);
  expect(performance.now() - begunAt).toBeLessThan(1_500);
  await lab.nats.restart();
  await eventually(async () =>
    expect(await send({ payload: opened(5, 'a'), id: 'a-1' })).toMatch(/STORED|SEEN_BEFORE/),
  );
  await eventually(() => expect(calls).toContain('pull 5'));
  // Whatever else was lost meanwhile is looked for.
  await eventually(() => expect(calls).toContain('all'), 15_000);
});

function raw(head: readonly string[]) {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let ended = false;
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('data', (it) => (received += it.toString())).on('error', () => undefined);
  socket.on('end', () => (ended = true)).on('close', () => (ended = true));
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return { socket, closed, ended: () => ended, text: () => received };
}
