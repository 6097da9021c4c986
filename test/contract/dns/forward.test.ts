/** Forwarding to servers that answer, lie, stay silent or are not there: real sockets on loopback. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import dnsPacket from 'dns-packet';
import { afterEach, expect, it } from 'vitest';
import { createForwarder } from '../../../agent/dns/forward.ts';
import { framed, frames } from '../../../agent/dns/tcp-frames.ts';
import { parseQuery, type Query, rcodeOf } from '../../../agent/dns/wire.ts';

const PORT = 5454;
const open: (Socket | Server)[] = [];

afterEach(() => {
  for (const it of open.splice(0)) it.close();
});

const query = ((): Query => {
  const message = dnsPacket.encode({ type: 'query', id: 4711, questions: [{ type: 'A', name: 'example.org' }] });
  const parsed = parseQuery(message);
  if (parsed.kind !== 'query') throw new Error('not a query');
  return parsed.query;
})();

function answerTo(message: Buffer, address: string, flags = 0): Buffer {
  const { id, questions } = dnsPacket.decode(message);
  const answers = [{ type: 'A' as const, name: 'example.org', data: address }];
  return dnsPacket.encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [], answers });
}

/** A server by UDP; `react` gives the datagrams it sends back. */
async function server(address: string, react: (message: Buffer) => readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    for (const it of react(message)) socket.send(it, from.port, from.address);
  });
  socket.bind(PORT, address);
  await once(socket, 'listening');
  open.push(socket);
}

function forwarder(...servers: string[]) {
  return createForwarder({ servers: async () => servers, port: PORT, patienceMs: 150, deadlineMs: 600 });
}

function addressOf(reply: Buffer | null): unknown {
  return reply === null ? null : dnsPacket.decode(reply).answers?.map((it) => (it.type === 'A' ? it.data : it.type));
}

it('brings the reply back under the id of the query', async () => {
  await server('127.0.232.1', (message) => [answerTo(message, '192.0.2.1')]);
  const reply = await forwarder('127.0.232.1')(query, 'udp');
  expect(reply?.readUInt16BE(0)).toBe(4711);
  expect(addressOf(reply)).toEqual(['192.0.2.1']);
});

it('asks the next server at once when nobody listens, and when one says SERVFAIL', async () => {
  await server('127.0.232.2', (message) => [answerTo(message, '192.0.2.2', 2)]);
  await server('127.0.232.3', (message) => [answerTo(message, '192.0.2.3')]);
  const begin = performance.now();
  expect(addressOf(await forwarder('127.0.232.9', '127.0.232.2', '127.0.232.3')(query, 'udp'))).toEqual(['192.0.2.3']);
  expect(performance.now() - begin).toBeLessThan(140);
});

it('asks the next server when one is silent', async () => {
  await server('127.0.232.1', () => []);
  await server('127.0.232.3', (message) => [answerTo(message, '192.0.2.3')]);
  expect(addressOf(await forwarder('127.0.232.1', '127.0.232.3')(query, 'udp'))).toEqual(['192.0.2.3']);
});

it('gives up in time when all are silent, and at once when none is there', async () => {
  await server('127.0.232.1', () => []);
  const begin = performance.now();
  expect(await forwarder('127.0.232.9')(query, 'udp')).toBeNull();
  expect(await forwarder()(query, 'udp')).toBeNull();
  expect(performance.now() - begin).toBeLessThan(140);
  expect(await forwarder('127.0.232.1')(query, 'udp')).toBeNull();
  expect(performance.now() - begin).toBeLessThan(1000);
});

it('believes only the reply to its own question', async () => {
  await server('127.0.232.1', (message) => {
    const wrongId = answerTo(message, '203.0.113.1');
    wrongId.writeUInt16BE((wrongId.readUInt16BE(0) + 1) & 0xffff, 0);
    const wrongName = dnsPacket.encode({
      type: 'response',
      id: message.readUInt16BE(0),
      questions: [{ type: 'A', name: 'example.com' }],
      answers: [{ type: 'A', name: 'example.com', data: '203.0.113.2' }],
    });
    return [Buffer.from('rubbish'), wrongId, wrongName, message, answerTo(message, '192.0.2.1')];
  });
  expect(addressOf(await forwarder('127.0.232.1')(query, 'udp'))).toEqual(['192.0.2.1']);
});

it('passes "no such name" on as the answer that it is', async () => {
  await server('127.0.232.1', (message) => [answerTo(message, '192.0.2.1', 3)]);
  expect(rcodeOf((await forwarder('127.0.232.1')(query, 'udp')) ?? Buffer.alloc(4))).toBe(3);
});

it('asks by TCP who was asked by TCP', async () => {
  const tcp = createServer((socket) => {
    socket.on(
      'data',
      frames(
        4096,
        (message) => socket.write(framed(answerTo(message, '192.0.2.7'))),
        () => {},
      ),
    );
  });
  tcp.listen(PORT, '127.0.232.1');
  await once(tcp, 'listening');
  open.push(tcp);
  expect(addressOf(await forwarder('127.0.232.9', '127.0.232.1')(query, 'tcp'))).toEqual(['192.0.2.7']);
});

it('refuses more than its share at once, and recovers', async () => {
  let silent = true;
  await server('127.0.232.1', (message) => (silent ? [] : [answerTo(message, '192.0.2.1')]));
  const forward = createForwarder({
    servers: async () => ['127.0.232.1'],
    port: PORT,
    deadlineMs: 300,
    concurrency: 3,
  });
  const begin = performance.now();
  const waiting = [1, 2, 3].map(() => forward(query, 'udp'));
  expect(await forward(query, 'udp')).toBeNull();
  expect(performance.now() - begin).toBeLessThan(150);
  await Promise.all(waiting);
  silent = false;
  expect(addressOf(await forward(query, 'udp'))).toEqual(['192.0.2.1']);
});
