/** The resolver as a process of its own, on a loopback network: 127.0.N.1 is the gateway, other addresses are containers. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket from 'dns-packet';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createNames } from '../../../agent/dns/names.ts';
import { findResolver, startResolver, stopResolver } from '../../../agent/dns/resolver-process.ts';
import type { ResolverRecord } from '../../../agent/dns/resolver-record.ts';
import { framed, frames } from '../../../agent/dns/tcp-frames.ts';
import type { Names } from '../../../agent/ports.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { isAlive } from '../../../store/process-record.ts';

const PORT = 5453;
const MEMBER = '127.0.231.9';
const command = [
  process.execPath,
  '--import',
  import.meta.resolve('tsx'),
  new URL('../../../agent/dns/main.ts', import.meta.url).pathname,
] as const;
const network = { name: 'n', bridge: 'lo', subnet: '127.0.231.0/24', gatewayAddress: '127.0.231.1' };

let dir: string;
let agent: AbortController;
const started: Names[] = [];

beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/slipway-dns-`);
  agent = new AbortController();
});

afterEach(async () => {
  agent.abort();
  for (const it of started.splice(0)) await it.stop();
  await rm(dir, { recursive: true, force: true });
});

function names(more: Partial<Parameters<typeof createNames>[0]> = {}): Names {
  const made = createNames({ dir, network: () => network, log: silentLogger, port: PORT, command, ...more });
  started.push(made);
  return made;
}

function table(...addresses: string[]) {
  return {
    http: [],
    tcp: [],
    backends: [],
    names: [{ namespace: 'production', service: 'db', addresses }],
    members: [{ address: MEMBER, namespace: 'production' }],
  };
}

/** Asks by UDP from an address; gives response code and addresses, null without an answer. */
async function ask(
  name: string,
  from = MEMBER,
  timeoutMs = 500,
): Promise<{ rcode: string; addresses: string[] } | null> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve) => socket.bind(0, from, resolve));
    const query = dnsPacket.encode({ type: 'query', id: 9, questions: [{ type: 'A', name }] });
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), timeoutMs);
      socket.on('error', () => {});
      socket.on('message', (message) => {
        clearTimeout(timer);
        const { rcode, answers = [] } = dnsPacket.decode(message) as dnsPacket.DecodedPacket & { rcode: string };
        resolve({ rcode, addresses: answers.flatMap((it) => (it.type === 'A' ? [it.data] : [])) });
      });
      socket.send(query, PORT, network.gatewayAddress);
    });
  } finally {
    socket.close();
  }
}

async function eventually(check: () => Promise<boolean>, timeoutMs = 8000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error('never happened');
    await delay(20);
  }
}

it('answers by the new names as soon as apply resolves, each time', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  for (const address of ['127.0.231.20', '127.0.231.21', '127.0.231.22', '127.0.231.23']) {
    await it_.apply(table(address));
    expect(await ask('db')).toEqual({ rcode: 'NOERROR', addresses: [address] });
  }
});

it('writes the file only when something changed', async () => {
  const it_ = names({ applyTimeoutMs: 0 });
  const inode = async () => (await stat(`${dir}/names.json`)).ino;
  await it_.apply(table('127.0.231.20'));
  const first = await inode();
  await it_.apply(table('127.0.231.20'));
  expect(await inode()).toBe(first);
  await it_.apply(table('127.0.231.21'));
  expect(await inode()).not.toBe(first);
});

it('answers by TCP, also two queries in pieces and after the asker has closed its side', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  await it_.apply(table('127.0.231.20'));
  const socket = connect({ host: network.gatewayAddress, port: PORT, localAddress: MEMBER });
  const replies: Buffer[] = [];
  const take = frames(
    4096,
    (message) => replies.push(message),
    () => {},
  );
  socket.on('data', take);
  const query = (id: number) => framed(dnsPacket.encode({ type: 'query', id, questions: [{ type: 'A', name: 'db' }] }));
  const bytes = Buffer.concat([query(1), query(2)]);
  socket.write(bytes.subarray(0, 5));
  await delay(30);
  socket.end(bytes.subarray(5));
  await once(socket, 'close');
  expect(new Set(replies.map((message) => dnsPacket.decode(message).id))).toEqual(new Set([1, 2]));
});

it('leaves the resolver running when the agent ends, and adopts it afterwards', async () => {
  await names().start(agent.signal);
  const first = await findResolver(dir);
  agent.abort();
  await delay(300);
  const second = names();
  await second.start(new AbortController().signal);
  expect((await findResolver(dir))?.pid).toBe(first?.pid);
  await second.stop();
  expect(await findResolver(dir)).toBeNull();
  expect(first !== null && (await isAlive(first))).toBe(false);
});

it('adopts a resolver of the same build and replaces one of another, with names all the while', async () => {
  const first = names({ build: '1' });
  await first.start(agent.signal);
  await first.apply(table('127.0.231.20'));
  const before = await findResolver(dir);
  agent.abort();
  await names({ build: '1' }).start(new AbortController().signal);
  expect(await findResolver(dir)).toEqual(before);
  let running = true;
  const outcomes: (string | null)[] = [];
  const asking = (async () => {
    while (running) outcomes.push((await ask('db', MEMBER, 250))?.addresses.join() ?? null);
  })();
  const next = names({ build: '2' });
  await next.start(new AbortController().signal);
  await eventually(async () => ((await findResolver(dir)) ?? before)?.pid !== before?.pid);
  await delay(100);
  running = false;
  await asking;
  expect(await findResolver(dir)).toMatchObject({ build: '2', bound: true });
  expect(before !== null && (await isAlive(before))).toBe(false);
  // Between two sockets a question may be lost; a resolver that only started now would lose many.
  const lost = outcomes.filter((it) => it !== '127.0.231.20');
  expect(outcomes.length).toBeGreaterThan(20);
  expect(lost.length, JSON.stringify(lost)).toBeLessThan(3);
});

it('does not bring back a resolver that was ended while its successor started', async () => {
  const first = names({ build: '1' });
  await first.start(agent.signal);
  await eventually(async () => (await findResolver(dir)) !== null);
  const before = (await findResolver(dir)) as ResolverRecord;
  agent.abort();
  const successor = await startResolver({ dir, port: PORT, command }, network.gatewayAddress, before);
  await stopResolver(dir, before);
  await eventually(async () => !(await isAlive(successor)));
  expect(await findResolver(dir)).toBeNull();
});

it('starts a killed resolver again, which answers from its file', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  await it_.apply(table('127.0.231.20'));
  const first = await findResolver(dir);
  // Never 0: that is everybody's, the test runner too.
  process.kill(first?.pid ?? Number.NaN, 'SIGKILL');
  await eventually(async () => (await ask('db'))?.addresses.join() === '127.0.231.20');
  expect((await findResolver(dir))?.pid).not.toBe(first?.pid);
});

it('keeps the last good snapshot when the file is broken or gone', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  await it_.apply(table('127.0.231.20'));
  await writeFile(`${dir}/names.json`, '{"version":1,"subn');
  await delay(400);
  expect((await ask('db'))?.addresses).toEqual(['127.0.231.20']);
  await rm(`${dir}/names.json`);
  await delay(400);
  expect((await ask('db'))?.addresses).toEqual(['127.0.231.20']);
  await it_.apply(table('127.0.231.21'));
  expect((await ask('db'))?.addresses).toEqual(['127.0.231.21']);
});

it('gives no wrong answer while snapshots are swapped under load', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  const allowed = new Set(['127.0.231.20,127.0.231.21', '127.0.231.30,127.0.231.31']);
  await it_.apply(table('127.0.231.20', '127.0.231.21'));
  const seen = new Map<string, number>();
  let running = true;
  const load = Array.from({ length: 8 }, async () => {
    while (running) {
      const answer = (await ask('db', MEMBER, 2000))?.addresses.toSorted().join() ?? 'none';
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
  });
  for (let round = 0; round < 60; round += 1) {
    await it_.apply(round % 2 ? table('127.0.231.20', '127.0.231.21') : table('127.0.231.30', '127.0.231.31'));
  }
  running = false;
  await Promise.all(load);
  expect(new Set(seen.keys())).toEqual(allowed);
});

it('survives rubbish by UDP and TCP', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  await it_.apply(table('127.0.231.20'));
  const { pid } = (await findResolver(dir)) ?? { pid: 0 };
  const socket = createSocket('udp4');
  for (let round = 0; round < 2000; round += 1) {
    const bytes = Buffer.from(Array.from({ length: round % 200 }, () => Math.floor(Math.random() * 256)));
    socket.send(bytes, PORT, network.gatewayAddress);
    if (round % 50 === 0) await delay(1);
  }
  for (let round = 0; round < 50; round += 1) {
    const rubbish = connect({ host: network.gatewayAddress, port: PORT, localAddress: MEMBER });
    rubbish.on('error', () => {});
    rubbish.end(Buffer.from(Array.from({ length: 300 }, () => Math.floor(Math.random() * 256))));
  }
  await delay(200);
  socket.close();
  expect((await ask('db'))?.addresses).toEqual(['127.0.231.20']);
  expect((await findResolver(dir))?.pid).toBe(pid);
});

it('waits for its address, as after a reboot, and says meanwhile what it waits for', async () => {
  const missing = { ...network, subnet: '10.210.251.0/24', gatewayAddress: '10.210.251.1' };
  const it_ = names({ network: () => missing, startTimeoutMs: 1500 });
  await expect(it_.start(agent.signal)).rejects.toMatchObject({
    code: 'NETWORK_FAILED',
    message: expect.stringContaining('EADDRNOTAVAIL'),
  });
  expect(await findResolver(dir)).toMatchObject({ bound: false });
});

it('lets one resolver serve a folder, however many are started', async () => {
  const it_ = names();
  await it_.start(agent.signal);
  const first = await findResolver(dir);
  const second = await startResolver({ dir, port: PORT, command }, network.gatewayAddress);
  await eventually(async () => !(await isAlive(second)));
  expect((await findResolver(dir))?.pid).toBe(first?.pid);
});

it('does not end a stranger that has the process id of a resolver long gone', async () => {
  const stranger = spawn('sleep', ['30']);
  await once(stranger, 'spawn');
  const record = {
    pid: stranger.pid,
    startTicks: '1',
    bootId: 'x',
    listen: network.gatewayAddress,
    port: PORT,
    bound: true,
  };
  await writeFile(`${dir}/resolver.json`, JSON.stringify(record));
  await names().stop();
  expect(stranger.exitCode).toBeNull();
  expect(process.kill(stranger.pid ?? 0, 0)).toBe(true);
  const ended = once(stranger, 'exit');
  stranger.kill('SIGKILL');
  await ended;
});
