/** HAProxy follows tables: without a reload where it can, all or nothing where it cannot, and from any half-done state. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGateway } from '../../../agent/gateway/gateway.ts';
import { checkConfig } from '../../../agent/gateway/process.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { RoutingTable } from '../../../schemas/routing.ts';
import { app, ask, clock, eventually, freePort, type Lab, lab, table } from './lab.ts';

const never = new AbortController().signal;

it('new services take spare backends: the worker stays the same', async () => {
  await using it1 = await lab();
  const web = await app('web');
  const worker = await it1.worker();
  for (let i = 1; i <= 30; i++) {
    const rows = Object.fromEntries(Array.from({ length: i }, (_, index) => [`s${index}.test`, [web]]));
    await it1.gateway.apply(table(rows));
  }
  expect((await ask(it1.httpPort, { host: 's29.test' })).body).toBe('web');
  expect(await it1.worker()).toBe(worker);
  await it1.gateway.apply(table({}));
  expect((await ask(it1.httpPort, { host: 's29.test' })).status).toBe(404);
  expect(await it1.worker()).toBe(worker);
  await web.kill();
});

it('an equal table changes nothing: no command, no file, no reload', async () => {
  const points: string[] = [];
  await using it1 = await lab({ trace: (point) => points.push(point) });
  const web = await app('web');
  const wanted = table({ 'a.test': [web] });
  await it1.gateway.apply(wanted);
  const [worker, config] = [await it1.worker(), await readFile(it1.config, 'utf8')];
  await it1.gateway.apply(wanted);
  expect(await it1.worker()).toBe(worker);
  expect(await readFile(it1.config, 'utf8')).toBe(config);
  await web.kill();
});

it('300 services at once, then one change among them', async () => {
  await using it1 = await lab();
  const [web, next] = [await app('web'), await app('next')];
  const rows = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`s${index}.test`, [web]]));
  const began = Date.now();
  await it1.gateway.apply(table(rows));
  const firstMs = Date.now() - began;
  expect((await ask(it1.httpPort, { host: 's299.test' })).body).toBe('web');
  const again = Date.now();
  await it1.gateway.apply(table({ ...rows, 's150.test': [next] }));
  const changeMs = Date.now() - again;
  expect((await ask(it1.httpPort, { host: 's150.test' })).body).toBe('next');
  const worker = await it1.worker();
  const swap = Date.now();
  await it1.gateway.apply(table(Object.fromEntries(Object.keys(rows).map((host) => [host, [next]]))));
  const swapMs = Date.now() - swap;
  expect((await ask(it1.httpPort, { host: 's299.test' })).body).toBe('next');
  expect(await it1.worker()).toBe(worker);
  expect(firstMs).toBeLessThan(5_000);
  expect(changeMs).toBeLessThan(1_000);
  expect(swapMs).toBeLessThan(3_000);
  await Promise.all([web.kill(), next.kill()]);
}, 60_000);

it('a tcp listener carries bytes to its service, and goes away with its route', async () => {
  await using it1 = await lab();
  const [web, next] = [await app('web'), await app('next')];
  const port = await freePort();
  const wanted = (it: typeof web) =>
    table(
      {},
      { tcp: [{ listenPort: port, backend: 'p/db/1' }], backends: [{ key: 'p/db/1', endpoints: [it.endpoint] }] },
    );
  await it1.gateway.apply(wanted(web));
  expect((await ask(port)).body).toBe('web');
  const worker = await it1.worker();
  await it1.gateway.apply(wanted(next));
  expect((await ask(port)).body).toBe('next');
  expect(await it1.worker()).toBe(worker);
  await it1.gateway.apply(table({}));
  await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await Promise.all([web.kill(), next.kill()]);
});

it('an endpoint whose address changes is followed', async () => {
  await using it1 = await lab();
  const [web, moved] = [await app('web'), await app('moved')];
  await it1.gateway.apply(table({ 'a.test': [web] }));
  const endpoint = { ...moved.endpoint, id: web.endpoint.id };
  await web.kill();
  await it1.gateway.apply(table({ 'a.test': [{ ...moved, endpoint }] }));
  expect((await ask(it1.httpPort)).body).toBe('moved');
  await moved.kill();
});

it('a route that moves to another backend is never without one', async () => {
  await using it1 = await lab();
  const [one, two] = [await app('one'), await app('two')];
  const at = (backend: string): RoutingTable => ({
    ...table({ 'x.test': [one], 'y.test': [two] }),
    http: [{ host: 'a.test', pathPrefix: '/', backend }],
  });
  await it1.gateway.apply(at('test/x-test/80'));
  let running = true;
  const statuses = new Set<number>();
  const client = (async () => {
    while (running) statuses.add((await ask(it1.httpPort)).status);
  })();
  for (let i = 0; i < 6; i++) {
    await it1.gateway.apply(at(i % 2 === 0 ? 'test/y-test/80' : 'test/x-test/80'));
  }
  running = false;
  await client;
  expect([...statuses]).toEqual([200]);
  await Promise.all([one.kill(), two.kill()]);
});

describe('the last good configuration serves on', () => {
  it('when a table holds what HAProxy could misread', async () => {
    await using it1 = await lab();
    const web = await app('web');
    await it1.gateway.apply(table({ 'a.test': [web] }));
    const config = await readFile(it1.config, 'utf8');
    const bad = table({ 'a.test': [web], 'b.test/x\n  server evil 6.6.6.6:1': [web] });
    await expect(it1.gateway.apply(bad)).rejects.toMatchObject({ code: 'GATEWAY_FAILED' });
    expect(await readFile(it1.config, 'utf8')).toBe(config);
    expect((await ask(it1.httpPort)).body).toBe('web');
    await web.kill();
  });

  it('when HAProxy refuses to reload, also after HAProxy is killed then', async () => {
    const port = await freePort();
    const squatters: Server[] = [];
    const trace = (point: string) => {
      // Somebody takes the port after it was found free: the one thing that no check before can see.
      if (point === 'gateway.reload') squatters.push(createServer().listen(port));
    };
    await using it1 = await lab({ trace });
    const web = await app('web');
    await it1.gateway.apply(table({ 'a.test': [web] }));
    const [worker, config] = [await it1.worker(), await readFile(it1.config, 'utf8')];
    const slow = ask(it1.httpPort, { path: '/slow?ms=500' });
    const wanted = table({ 'a.test': [web] }, { tcp: [{ listenPort: port, backend: 'test/a-test/80' }] });
    await expect(it1.gateway.apply(wanted)).rejects.toMatchObject({
      code: 'GATEWAY_FAILED',
      message: expect.stringMatching(new RegExp(`last good one serves: .*${port}`)) as string,
    });
    expect(squatters).toHaveLength(1);
    expect(it1.gateway.status().problems).toEqual([expect.stringContaining('last good')]);
    expect((await ask(it1.httpPort)).body).toBe('web');
    expect((await slow).body).toBe('web');
    expect(await readFile(it1.config, 'utf8')).toBe(config);

    squatters[0]?.close();
    // It still takes changes that need no reload, in the worker that it kept.
    await it1.gateway.apply(table({ 'a.test': [web], 'b.test': [web] }));
    expect((await ask(it1.httpPort, { host: 'b.test' })).body).toBe('web');
    const processes = await it1.runtime.processes();
    expect([...(processes?.workers ?? []), ...(processes?.oldWorkers ?? [])]).toContain(worker);

    process.kill(await it1.master(), 'SIGKILL');
    await eventually('it answers', async () => (await ask(it1.httpPort, { host: 'b.test' })).body === 'web');
    await web.kill();
  }, 60_000);

  it('a configuration that HAProxy refuses is found before anything is reloaded', async () => {
    await using it1 = await lab();
    const path = join(it1.dir, 'bad.cfg');
    await writeFile(path, 'backend b0\n  nonsense\n');
    await expect(checkConfig('haproxy', path)).rejects.toMatchObject({
      code: 'GATEWAY_FAILED',
      message: expect.stringContaining('nonsense') as string,
    });
  });
});

it('new endpoints that accept no connection do not replace ones that serve', async () => {
  await using it1 = await lab();
  const [web, dead, other] = [await app('web'), await app('dead'), await app('other')];
  await it1.gateway.apply(table({ 'a.test': [web] }));
  await dead.kill();
  const failure = it1.gateway.apply(table({ 'a.test': [dead], 'b.test': [other] }));
  await expect(failure).rejects.toMatchObject({
    code: 'GATEWAY_FAILED',
    details: { backends: ['test/a-test/80'] },
  });
  for (let i = 0; i < 10; i++) expect((await ask(it1.httpPort)).status).toBe(200);
  expect((await ask(it1.httpPort, { host: 'b.test' })).body).toBe('other');
  await Promise.all([web.kill(), other.kill()]);
});

describe('killed between any two lines, the next pass finishes what was begun', () => {
  const POINTS = ['entered', 'opened', 'written', 'routed', 'left', 'reload.write', 'reload', 'reloaded'];

  it.each(POINTS)('after gateway.%s', async (point) => {
    const wish = `gateway.${point}`;
    let armed = false;
    let died = false;
    const trace = (reached: string) => {
      if (!armed || reached !== wish) return;
      died = true;
      throw new Error('killed here');
    };
    await using it1 = await lab({ trace });
    const [old, next, other] = [await app('old'), await app('next'), await app('other')];
    await it1.gateway.apply(table({ 'a.test': [old], 'gone.test': [old] }));
    armed = true;
    const tcp = point.startsWith('reload') ? [{ listenPort: await freePort(), backend: 'test/b-test/80' }] : [];
    const wanted = table({ 'a.test': [next], 'b.test': [other] }, { tcp });
    await it1.gateway.apply(wanted).catch(() => {});
    expect(died).toBe(true);
    it1.abandon();
    expect((await ask(it1.httpPort)).status).toBe(200);

    const fresh = await successor(it1);
    expect((await ask(it1.httpPort)).status).toBe(200);
    await fresh.apply(wanted);
    expect((await ask(it1.httpPort)).body).toBe('next');
    expect((await ask(it1.httpPort, { host: 'b.test' })).body).toBe('other');
    expect((await ask(it1.httpPort, { host: 'gone.test' })).status).toBe(404);
    await fresh.drain(old.endpoint.id, 5_000, never);
    const servers = await it1.runtime.servers(await it1.worker());
    const expected = [next.endpoint.id, other.endpoint.id, ...(tcp.length > 0 ? [other.endpoint.id] : [])];
    expect(servers.map((it) => it.id).toSorted()).toEqual(expected.toSorted());
    expect(await readFile(it1.config, 'utf8')).not.toContain(old.endpoint.id);
    await Promise.all([old.kill(), next.kill(), other.kill()]);
  });
});

it('servers that an earlier agent left draining are gone once they are idle', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old] }));
  await it1.gateway.apply(table({ 'a.test': [next] }));
  it1.abandon();
  const fresh = await successor(it1);
  await fresh.apply(table({ 'a.test': [next] }));
  expect((await it1.runtime.servers(await it1.worker())).map((it) => it.id)).toEqual([next.endpoint.id]);
  await Promise.all([old.kill(), next.kill()]);
});

it('a table of before the crash is served again when the state file is lost', async () => {
  await using it1 = await lab();
  const web = await app('web');
  await it1.gateway.apply(table({ 'b.test': [web], 'a.test': [web] }));
  it1.abandon();
  await writeFile(join(it1.dir, 'state.json'), '{"half');
  const fresh = await successor(it1);
  expect((await ask(it1.httpPort)).body).toBe('web');
  await fresh.apply(table({ 'a.test': [web] }));
  expect((await ask(it1.httpPort)).body).toBe('web');
  expect((await ask(it1.httpPort, { host: 'b.test' })).status).toBe(404);
  await web.kill();
});

/** Another gateway object, as a new process would make it. */
async function successor(it1: Lab) {
  const gateway = createGateway({
    dir: it1.dir,
    httpPort: it1.httpPort,
    installation: it1.installation,
    log: silentLogger,
    clock,
  });
  const quiet = new AbortController();
  await gateway.start(quiet.signal);
  quiet.abort();
  return gateway;
}
