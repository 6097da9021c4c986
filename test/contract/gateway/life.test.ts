/** HAProxy outlives the agent, and comes back when it is killed. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGateway } from '../../../agent/gateway/gateway.ts';
import { findProcesses, masters } from '../../../agent/gateway/process.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { app, ask, clock, eventually, freePort, lab, processesWith, table } from './lab.ts';

const never = new AbortController().signal;

it('a restarted agent adopts HAProxy with its processes, connections and table', async () => {
  await using it1 = await lab();
  const web = await app('web');
  await it1.gateway.apply(table({ 'a.test': [web] }));
  const [master, worker] = [await it1.master(), await it1.worker()];
  const slow = ask(it1.httpPort, { path: '/slow?ms=600' });
  const again = await it1.restart();
  expect([await it1.master(), await it1.worker()]).toEqual([master, worker]);
  expect(again.status()).toEqual({ httpPort: it1.httpPort, problems: [] });
  expect((await ask(it1.httpPort)).body).toBe('web');
  await again.apply(table({ 'a.test': [web], 'b.test': [web] }));
  expect((await ask(it1.httpPort, { host: 'b.test' })).body).toBe('web');
  expect((await slow).body).toBe('web');
  expect([await it1.master(), await it1.worker()]).toEqual([master, worker]);
  await web.kill();
});

it('HAProxy keeps serving while no agent runs', async () => {
  await using it1 = await lab();
  const web = await app('web');
  await it1.gateway.apply(table({ 'a.test': [web] }));
  it1.abandon();
  await sleep(400);
  expect((await ask(it1.httpPort)).body).toBe('web');
  await web.kill();
});

it.each(['master', 'worker'] as const)(
  'kill -9 of the %s: served again from the files within a second',
  async (who) => {
    await using it1 = await lab();
    const web = await app('web');
    await it1.gateway.apply(table({ 'a.test': [web], 'b.test/x': [web] }));
    const before = await it1.master();
    process.kill(who === 'master' ? before : await it1.worker(), 'SIGKILL');
    const killedAt = Date.now();
    await eventually(
      'it answers',
      async () => (await ask(it1.httpPort, { host: 'b.test', path: '/x' })).body === 'web',
    );
    expect(Date.now() - killedAt).toBeLessThan(1_000);
    expect(await it1.master()).not.toBe(before);
    expect(masters(await findProcesses(it1.config))).toHaveLength(1);
    await web.kill();
  },
);

it('kill -9 of HAProxy while no agent runs: the next agent starts it from the files, before any table arrives', async () => {
  await using it1 = await lab();
  const web = await app('web');
  await it1.gateway.apply(table({ 'a.test': [web] }));
  it1.abandon();
  await sleep(300);
  process.kill(await it1.master(), 'SIGKILL');
  await eventually('it is gone', () => processesWith(it1.config).length === 0);
  await it1.restart();
  expect((await ask(it1.httpPort)).body).toBe('web');
  await web.kill();
});

it('a HAProxy that hangs is ended and started anew', async () => {
  await using it1 = await lab();
  const web = await app('web');
  await it1.gateway.apply(table({ 'a.test': [web] }));
  it1.abandon();
  await sleep(300);
  for (const it of await findProcesses(it1.config)) process.kill(it.pid, 'SIGSTOP');
  await it1.restart();
  expect((await ask(it1.httpPort)).body).toBe('web');
  expect(masters(await findProcesses(it1.config))).toHaveLength(1);
  await web.kill();
});

it('stop ends HAProxy and removes its folder, and leaves the one of another installation alone', async () => {
  await using one = await lab();
  await using two = await lab();
  const web = await app('web');
  await one.gateway.apply(table({ 'a.test': [web] }));
  await two.gateway.apply(table({ 'a.test': [web] }));
  await one.gateway.stop();
  expect(existsSync(one.dir)).toBe(false);
  expect(processesWith(one.config)).toEqual([]);
  await expect(one.gateway.apply(table({}))).rejects.toMatchObject({ code: 'GATEWAY_FAILED' });
  expect((await ask(two.httpPort)).body).toBe('web');
  await web.kill();
});

it('the agent can end without waiting for HAProxy: no pipe, no child to wait for', async () => {
  const httpPort = await freePort();
  await using it1 = await lab({ httpPort });
  const [info] = masters(await findProcesses(it1.config));
  const stat = await readFile(`/proc/${info?.pid}/stat`, 'utf8');
  const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
  expect(Number(session)).toBe(info?.pid);
  for (const fd of ['0', '1', '2']) {
    const target = execFileSync('readlink', [`/proc/${info?.pid}/fd/${fd}`], { encoding: 'utf8' }).trim();
    expect(target).toMatch(/^\/dev\/null$|haproxy\.log$/);
  }
});

it('without HAProxy installed, start says so', async () => {
  await expect(lab({ haproxyBinary: '/nonexistent/haproxy' })).rejects.toMatchObject({
    code: 'SETUP_FAILED',
    message: expect.stringContaining('/nonexistent/haproxy') as string,
  });
});

it('a port that another program has: the rest is served, the error names who holds it and who wanted it', async () => {
  await using it1 = await lab();
  const port = await freePort();
  const squatter = spawn(
    process.execPath,
    ['-e', `require('net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await once(squatter.stdout, 'data');
  const web = await app('web');
  const wanted = table(
    { 'a.test': [web] },
    { tcp: [{ listenPort: port, backend: 'prod/db/5432' }], backends: [{ key: 'prod/db/5432', endpoints: [] }] },
  );
  const failure = await it1.gateway.apply(wanted).catch((error: unknown) => error);
  const holder = `node (pid ${squatter.pid})`;
  expect(failure).toMatchObject({
    code: 'PORT_CONFLICT',
    message: `port ${port} that prod/db wants is held by ${holder}: stop that program or choose another port`,
    details: { conflicts: [{ port, holder, namespace: 'prod', service: 'db' }] },
  });
  expect(it1.gateway.status()).toEqual({ httpPort: it1.httpPort, problems: [`port ${port} is held by ${holder}`] });
  expect(await it1.gateway.portHolders([port, it1.httpPort])).toEqual([{ port, holder }]);
  expect((await ask(it1.httpPort)).body).toBe('web');
  squatter.kill('SIGKILL');
  await once(squatter, 'exit');
  await it1.gateway.apply(wanted);
  expect(it1.gateway.status().problems).toEqual([]);
  expect(await it1.gateway.portHolders([port])).toEqual([]);
  await web.kill();
});

it('a taken http port: the gateway runs, says so, and takes the port when it is free', async () => {
  const httpPort = await freePort();
  const squatter = createServer().listen(httpPort, '0.0.0.0');
  await once(squatter, 'listening');
  await using it1 = await lab({ httpPort });
  expect(it1.gateway.status()).toEqual({
    httpPort: null,
    problems: [expect.stringMatching(new RegExp(`^port ${httpPort} is held by .*\\(pid ${process.pid}\\)$`))],
  });
  const web = await app('web');
  await expect(it1.gateway.apply(table({ 'a.test': [web] }))).rejects.toMatchObject({ code: 'PORT_CONFLICT' });
  squatter.close();
  await once(squatter, 'close');
  await it1.gateway.apply(table({ 'a.test': [web] }));
  expect(it1.gateway.status()).toEqual({ httpPort, problems: [] });
  expect((await ask(httpPort)).body).toBe('web');
  await web.kill();
});

it('a second gateway on the same http port does not take half of its connections', async () => {
  await using one = await lab();
  await using two = await lab({ httpPort: one.httpPort });
  expect(two.gateway.status().httpPort).toBeNull();
  const web = await app('web');
  await one.gateway.apply(table({ 'a.test': [web] }));
  for (let i = 0; i < 30; i++) expect((await ask(one.httpPort)).body).toBe('web');
  await web.kill();
});

it('drains through a gateway object that just came up, and has forgotten nothing', async () => {
  await using it1 = await lab();
  const [old, next] = [await app('old'), await app('next')];
  await it1.gateway.apply(table({ 'a.test': [old] }));
  const slow = ask(it1.httpPort, { path: '/slow?ms=700' });
  await eventually('the request arrived', () => old.busy() === 1);
  await it1.gateway.apply(table({ 'a.test': [next] }));
  it1.abandon();
  const fresh = createGateway({
    dir: it1.dir,
    httpPort: it1.httpPort,
    installation: it1.installation,
    log: silentLogger,
    clock,
  });
  const began = Date.now();
  expect(await fresh.drain(old.endpoint.id, 5_000, never)).toEqual({ cut: 0 });
  expect(Date.now() - began).toBeGreaterThan(300);
  expect((await slow).body).toBe('old');
  await Promise.all([old.kill(), next.kill()]);
});
