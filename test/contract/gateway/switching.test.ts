/** A service is replaced again and again under load, and no client notices. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type App, app, freePort, type Lab, lab, table } from './lab.ts';
import { startLoad } from './load.ts';

const SWITCHES = 12;
const never = new AbortController().signal;

it('no request fails over many switches, and websockets of another service stay open', async () => {
  await using it1 = await lab();
  await using chat = await sockets(it1);
  let current = await app('v0');
  await it1.gateway.apply(table({ 'a.test': [current] }, chat.rows));
  await chat.open(5);
  const worker = await it1.worker();
  const load = startLoad(it1.httpPort, 'a.test');
  await sleep(200);
  for (let version = 1; version <= SWITCHES; version++) {
    const next = await app(`v${version}`);
    await it1.gateway.apply(table({ 'a.test': [next] }, chat.rows));
    expect(await it1.gateway.drain(current.endpoint.id, 10_000, never)).toEqual({ cut: 0 });
    expect(current.busy()).toBe(0);
    await current.kill();
    current = next;
  }
  await sleep(100);
  const result = await load.stop();
  expect(result.errors).toEqual({});
  expect(result.requests).toBeGreaterThan(500);
  expect(Object.keys(result.answeredBy)).toHaveLength(SWITCHES + 1);
  expect(await chat.echo()).toBe(5);
  expect(await it1.worker()).toBe(worker);
  await current.kill();
}, 60_000);

it('control: the same switches without draining do fail requests', async () => {
  await using it1 = await lab();
  let current = await app('v0');
  await it1.gateway.apply(table({ 'a.test': [current] }));
  const load = startLoad(it1.httpPort, 'a.test');
  await sleep(200);
  for (let version = 1; version <= 6; version++) {
    const next = await app(`v${version}`);
    await it1.gateway.apply(table({ 'a.test': [next] }));
    await current.kill();
    current = next;
    await sleep(100);
  }
  const { errors } = await load.stop();
  expect(Object.keys(errors).length).toBeGreaterThan(0);
  await current.kill();
}, 60_000);

it('no request fails when a switch comes with a reload for a new port', async () => {
  await using it1 = await lab();
  await using chat = await sockets(it1);
  let current = await app('v0');
  await it1.gateway.apply(table({ 'a.test': [current] }, chat.rows));
  await chat.open(5);
  const load = startLoad(it1.httpPort, 'a.test');
  await sleep(200);
  const workers = new Set([await it1.worker()]);
  const database = await app('db');
  for (let version = 1; version <= 4; version++) {
    const next = await app(`v${version}`);
    const port = await freePort();
    const backends = [...chat.rows.backends, { key: 'test/db/5432', endpoints: [database.endpoint] }];
    const tcp = [{ listenPort: port, backend: 'test/db/5432' }];
    await it1.gateway.apply(table({ 'a.test': [next] }, { http: chat.rows.http, backends, tcp }));
    workers.add(await it1.worker());
    await it1.gateway.drain(current.endpoint.id, 10_000, never);
    expect(current.busy()).toBe(0);
    await current.kill();
    current = next;
  }
  const result = await load.stop();
  expect(result.errors).toEqual({});
  expect(workers.size).toBe(5);
  expect(await chat.echo()).toBe(5);
  await Promise.all([current.kill(), database.kill()]);
}, 60_000);

/** A service of websockets that echo. */
async function sockets(it1: Lab) {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString('utf8')}`)),
  );
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const clients: WebSocket[] = [];
  const endpoint: App['endpoint'] = { id: 'chat', address: '127.0.0.1', port: (http.address() as AddressInfo).port };
  return {
    rows: {
      http: [{ host: 'chat.test', pathPrefix: '/', backend: 'test/chat/80' }],
      backends: [{ key: 'test/chat/80', endpoints: [endpoint] }],
    },
    async open(count: number) {
      for (let i = 0; i < count; i++) {
        const client = new WebSocket(`ws://127.0.0.1:${it1.httpPort}/`, { headers: { host: 'chat.test' } });
        await new Promise((resolve, reject) => {
          client.once('open', resolve);
          client.once('error', reject);
        });
        clients.push(client);
      }
    },
    /** How many of the opened sockets still echo. */
    async echo() {
      const answers = clients
        .filter((it) => it.readyState === WebSocket.OPEN)
        .map(
          (client) =>
            new Promise<boolean>((resolve) => {
              client.once('message', (data: Buffer) => resolve(data.toString('utf8') === 'echo hi'));
              client.once('close', () => resolve(false));
              client.send('hi');
            }),
        );
      return (await Promise.all(answers)).filter(Boolean).length;
    },
    async [Symbol.asyncDispose]() {
      for (const it of clients) it.terminate();
      await new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      });
    },
  };
}
