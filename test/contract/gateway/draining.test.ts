/** An endpoint is drained only when nobody uses it, wherever its sessions are. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { app, ask, eventually, freePort, lab, table } from './lab.ts';

const never = new AbortController().signal;

it('waits for the last request, sends no new one there meanwhile, and deletes the server', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old] }));
  const slow = ask(it1.httpPort, { path: '/slow?ms=600' });
  await eventually('the request arrived', () => old.busy() === 1);
  await it1.gateway.apply(table({ 'a.test': [next] }));
  let drained = false;
  const drain = it1.gateway.drain(old.endpoint.id, 10_000, never).then((it) => {
    drained = true;
    return it;
  });
  for (let i = 0; i < 20; i++) expect((await ask(it1.httpPort)).body).toBe('next');
  expect(drained).toBe(false);
  expect((await slow).body).toBe('old');
  expect(await drain).toEqual({ cut: 0 });
  const servers = await it1.runtime.servers(await it1.worker());
  expect(servers.map((it) => it.id)).toEqual([next.endpoint.id]);
  await Promise.all([old.kill(), next.kill()]);
});

it('an endpoint of several backends is drained from all of them', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  const port = await freePort();
  const tcp = [{ listenPort: port, backend: 'test/a-test/80' }];
  await it1.gateway.apply(table({ 'a.test': [old], 'b.test': [old] }, { tcp }));
  const slow = ask(port, { path: '/slow?ms=400' });
  await eventually('the request arrived', () => old.busy() === 1);
  await it1.gateway.apply(table({ 'a.test': [next], 'b.test': [next] }, { tcp }));
  const drain = it1.gateway.drain(old.endpoint.id, 10_000, never);
  expect(await Promise.race([drain, sleep(150, 'not yet')])).toBe('not yet');
  expect((await slow).body).toBe('old');
  expect(await drain).toEqual({ cut: 0 });
  const servers = await it1.runtime.servers(await it1.worker());
  expect(new Set(servers.map((it) => it.id))).toEqual(new Set([next.endpoint.id]));
  await Promise.all([old.kill(), next.kill()]);
});

it('at the deadline it cuts what is left, counts it, and touches nobody else', async () => {
  await using it1 = await lab();
  const [old, next, other] = [await app('old'), await app('next'), await app('other')];
  await it1.gateway.apply(table({ 'a.test': [old], 'b.test': [other] }));
  const long = [1, 2].map(() => ask(it1.httpPort, { path: '/slow?ms=5000' }).catch((it: unknown) => it));
  const kept = ask(it1.httpPort, { host: 'b.test', path: '/slow?ms=900' });
  await eventually('the requests arrived', () => old.busy() === 2 && other.busy() === 1);
  await it1.gateway.apply(table({ 'a.test': [next], 'b.test': [other] }));
  const began = Date.now();
  expect(await it1.gateway.drain(old.endpoint.id, 400, never)).toEqual({ cut: 2 });
  expect(Date.now() - began).toBeGreaterThanOrEqual(400);
  expect(Date.now() - began).toBeLessThan(1_500);
  for (const it of await Promise.all(long)) expect(it).not.toMatchObject({ status: 200 });
  expect((await kept).body).toBe('other');
  await Promise.all([old.kill(), next.kill(), other.kill()]);
});

it('an unknown endpoint is drained already', async () => {
  await using it1 = await lab();
  const began = Date.now();
  expect(await it1.gateway.drain('nobody', 10_000, never)).toEqual({ cut: 0 });
  expect(Date.now() - began).toBeLessThan(500);
});

it('gives up when the signal aborts, and leaves the sessions alone', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old] }));
  const slow = ask(it1.httpPort, { path: '/slow?ms=500' });
  await eventually('the request arrived', () => old.busy() === 1);
  await it1.gateway.apply(table({ 'a.test': [next] }));
  await expect(it1.gateway.drain(old.endpoint.id, 10_000, AbortSignal.timeout(100))).rejects.toThrow(/abort|timeout/i);
  expect((await slow).body).toBe('old');
  await Promise.all([old.kill(), next.kill()]);
});

it('sessions in a worker that a reload replaced count too, and are cut at the deadline', async () => {
  await using it1 = await lab();
  const [echo, next] = [await echoServer(), await app('next')];
  const port = await freePort();
  const backends = [{ key: 'test/echo/1', endpoints: [echo.endpoint] }];
  await it1.gateway.apply(table({}, { tcp: [{ listenPort: port, backend: 'test/echo/1' }], backends }));
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.write('one');
  expect(String((await once(client, 'data'))[0])).toBe('one');
  const before = await it1.worker();
  // The port goes away, which takes a reload: only the old worker still knows the endpoint.
  await it1.gateway.apply(table({ 'a.test': [next] }));
  expect(await it1.worker()).not.toBe(before);
  client.write('two');
  expect(String((await once(client, 'data'))[0])).toBe('two');
  const drain = it1.gateway.drain(echo.endpoint.id, 700, never);
  expect(await Promise.race([drain, sleep(400, 'not yet')])).toBe('not yet');
  const closed = once(client, 'close');
  expect(await drain).toEqual({ cut: 1 });
  await closed;
  await Promise.all([echo.kill(), next.kill()]);
});

it('a connection that a client kept to a replaced worker gets its next answer from the new version', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old] }));
  const client = connect(it1.httpPort, '127.0.0.1');
  const say = async () => {
    client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    return String((await once(client, 'data'))[0]);
  };
  expect(await say()).toMatch(/old$/);
  const tcp = [{ listenPort: await freePort(), backend: 'test/a-test/80' }];
  await it1.gateway.apply(table({ 'a.test': [next] }, { tcp }));
  await it1.gateway.drain(old.endpoint.id, 5_000, never);
  await old.kill();
  expect(await say()).toMatch(/connection: close[^]*next$/i);
  await next.kill();
});

it('one that is being drained gets no traffic though an older table names it, and may come back afterwards', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old, next] }));
  const slow = ask(it1.httpPort, { path: '/slow?ms=500', host: 'a.test' });
  await eventually('a request arrived', () => old.busy() + next.busy() === 1);
  const leaving = old.busy() === 1 ? old : next;
  const staying = leaving === old ? next : old;
  const drain = it1.gateway.drain(leaving.endpoint.id, 5_000, never);
  await it1.gateway.apply(table({ 'a.test': [old, next] }));
  for (let i = 0; i < 10; i++) expect((await ask(it1.httpPort)).body).toBe(staying.name);
  await slow;
  await drain;
  await it1.gateway.apply(table({ 'a.test': [staying] }));
  await it1.gateway.apply(table({ 'a.test': [leaving] }));
  expect((await ask(it1.httpPort)).body).toBe(leaving.name);
  await Promise.all([old.kill(), next.kill()]);
});

async function echoServer() {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: { id: 'echo', address: '127.0.0.1', port: (server.address() as AddressInfo).port },
    async kill() {
      for (const it of sockets) it.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
