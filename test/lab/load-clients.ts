/** The clients of a load: each asks one host again and again, in its own way, and notes what it sees. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Recorder } from './load-record.ts';

export interface LoadTarget {
  readonly host: string;
  /** Clients of each kind; 0 by default. Quick clients ask every 25 ms, those with a new connection every 50 ms. */
  readonly keepAlive?: number;
  readonly newConnection?: number;
  readonly post?: number;
  /** Clients that always have a request of this length under way. */
  readonly slow?: { readonly clients: number; readonly ms: number };
  /** Websockets that are kept open; a message every 200 ms must come back. */
  readonly sockets?: number;
}

interface Ask {
  readonly path: string;
  readonly method: string;
  readonly body: Buffer | null;
  readonly agent: Agent | false;
}

interface Answer {
  readonly status: number;
  readonly version: string;
  readonly body: string;
}

interface Client {
  readonly kind: string;
  readonly everyMs: number;
  readonly quick: boolean;
  readonly ask: Ask;
  /** null: the body is right. */
  readonly wrong: (body: string) => string | null;
}

const ECHO_EVERY_MS = 200;
const ECHO_WITHIN_MS = 10_000;

/** Runs all clients of a target until the signal aborts; what is under way then is waited for. */
export async function runClients(port: number, target: LoadTarget, record: Recorder, signal: AbortSignal) {
  const sockets = Array.from({ length: target.sockets ?? 0 }, () => keepSocket(port, target.host, record, signal));
  const clients = clientsOf(target).map((client) => repeat(port, target.host, client, record, signal));
  await Promise.all([...clients, ...sockets]);
}

function clientsOf({ keepAlive = 0, newConnection = 0, post = 0, slow }: LoadTarget): Client[] {
  const body = randomBytes(20_000);
  const echoed = `${body.length} ${createHash('sha256').update(body).digest('hex')}`;
  const get = { path: '/', method: 'GET', body: null };
  // An agent a client: its connection is never idle for long, so none is used in the moment in which it is closed.
  const agent = () => new Agent({ keepAlive: true, maxSockets: 1 });
  const times = (count: number, make: () => Client) => Array.from({ length: count }, make);
  const quick = { quick: true, wrong: () => null };
  return [
    ...times(keepAlive, () => ({ kind: 'keep-alive', everyMs: 40, ...quick, ask: { ...get, agent: agent() } })),
    ...times(newConnection, () => ({ kind: 'new-connection', everyMs: 80, ...quick, ask: { ...get, agent: false } })),
    ...times(post, () => ({
      kind: 'post',
      everyMs: 80,
      quick: true,
      ask: { path: '/echo', method: 'POST', body, agent: agent() },
      wrong: (text: string) => (text.trim().endsWith(echoed) ? null : 'wrong-body'),
    })),
    ...times(slow?.clients ?? 0, () => ({
      kind: 'slow',
      everyMs: 50,
      quick: false,
      ask: { ...get, path: `/slow?ms=${slow?.ms}`, agent: agent() },
      wrong: () => null,
    })),
  ];
}

async function repeat(port: number, host: string, client: Client, record: Recorder, signal: AbortSignal) {
  const pause = async (ms: number) => await sleep(ms, undefined, { signal }).catch(() => {});
  await pause(Math.random() * 500);
  while (!signal.aborted) {
    const begunAt = performance.now();
    record.request();
    try {
      const answer = await send(port, host, client.ask);
      const unrouted = answer.status === 404 && !record.isServed();
      const wrong = answer.status === 200 ? client.wrong(answer.body) : String(answer.status);
      if (unrouted) record.unrouted();
      else if (wrong !== null) record.error(client.kind, wrong);
      else record.answer(client.kind, answer.version, client.quick);
    } catch (error) {
      record.error(client.kind, (error as NodeJS.ErrnoException).code ?? String(error));
    }
    await pause(Math.max(1, client.everyMs - (performance.now() - begunAt)));
  }
  if (client.ask.agent !== false) client.ask.agent.destroy();
}

function send(port: number, host: string, { path, method, body, agent }: Ask): Promise<Answer> {
  const headers = { host, ...(body === null ? {} : { 'content-length': body.length }) };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: answer.statusCode ?? 0, version: String(answer.headers['x-version']), body: text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** One websocket, opened as soon as the host is served, until it ends or the signal aborts. */
async function keepSocket(port: number, host: string, record: Recorder, signal: AbortSignal): Promise<void> {
  while (!record.isServed() && !signal.aborted) await sleep(20);
  if (signal.aborted) return;
  const id = Symbol(host);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host } });
  const openedAt = Date.now();
  let [version, echoes, sentAt] = ['', 0, 0];
  const beat = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (sentAt === 0) {
      sentAt = Date.now();
      socket.send('hello');
    } else if (Date.now() - sentAt > ECHO_WITHIN_MS) socket.terminate();
  }, ECHO_EVERY_MS);
  socket.on('open', () => record.socketOpened(id));
  socket.on('error', (error) => {
    if (socket.readyState === WebSocket.CONNECTING) record.error('websocket', error.message);
  });
  socket.on('message', (data: Buffer) => {
    const [by = '', text] = data.toString().split(' ');
    if (text !== 'hello') record.error('websocket', 'wrong-echo');
    [version, echoes, sentAt] = [by, echoes + 1, 0];
  });
  await new Promise<void>((resolve) => {
    socket.on('close', () => {
      if (!signal.aborted) record.socketEnded(id, { version, openedAt, endedAt: Date.now(), echoes });
      resolve();
    });
    signal.addEventListener('abort', () => socket.terminate());
  });
  clearInterval(beat);
}
