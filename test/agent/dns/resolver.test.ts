/** Messages in, messages out: everything of the resolver but its sockets. */

import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Forward } from '../../../agent/dns/forward.ts';
import { createResolver } from '../../../agent/dns/resolver.ts';
import { emptyIndex, formatSnapshot, type NameIndex, parseSnapshot } from '../../../agent/dns/snapshot.ts';
import { addressReply, parseQuery } from '../../../agent/dns/wire.ts';
import { createBell } from '../../../agent/waiting.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const network = { name: 'n', bridge: 'slip0', subnet: '10.210.7.0/24', gatewayAddress: '10.210.7.1' };
const ASKER = '10.210.7.200';

function snapshot(addresses: readonly string[], members = [{ address: ASKER, namespace: 'production' }]): NameIndex {
  const names = [{ namespace: 'production', service: 'db', addresses }];
  return parseSnapshot(formatSnapshot({ names, members }, network));
}

function resolver(index: NameIndex, forward: Forward = async () => null) {
  const bell = createBell();
  let current = index;
  const resolve = createResolver({
    snapshot: { current: () => current, subscribe: bell.subscribe },
    forward,
    random: Math.random,
    log: silentLogger,
    patienceMs: 200,
  });
  const swap = (next: NameIndex) => {
    current = next;
    bell.ring();
  };
  const ask = async (name: string, options: { qtype?: 'A' | 'AAAA'; tcp?: boolean } = {}) => {
    const { qtype = 'A', tcp = false } = options;
    const query = dnsPacket.encode({
      type: 'query',
      id: 77,
      flags: dnsPacket.RECURSION_DESIRED,
      questions: [{ type: qtype, name }],
    });
    const reply = await resolve(query, ASKER, tcp ? 'tcp' : 'udp');
    if (reply === null) throw new Error('no reply');
    return { ...dnsPacket.decode(reply), bytes: reply.length };
  };
  return { resolve, ask, swap };
}

const many = Array.from({ length: 40 }, (_, i) => `10.210.7.${i + 2}`);
const rcode = (packet: { flags?: number | undefined }) => (packet.flags ?? 0) & 15;
const addresses = (packet: dnsPacket.Packet) => (packet.answers ?? []).map((it) => (it.type === 'A' ? it.data : '?'));

it('answers with the address, time-to-live 0, and the question as it was written', async () => {
  const reply = await resolver(snapshot(['10.210.7.2'])).ask('Db.Production.SLIPWAY');
  expect(reply).toMatchObject({
    id: 77,
    type: 'response',
    flag_tc: false,
    flag_rd: true,
    flag_ra: true,
    rcode: 'NOERROR',
  });
  expect(reply.questions?.[0]?.name).toBe('Db.Production.SLIPWAY');
  expect(reply.answers).toMatchObject([{ name: 'Db.Production.SLIPWAY', type: 'A', ttl: 0, data: '10.210.7.2' }]);
});

it('says that a known name has no IPv6 address, and that an unknown one does not exist', async () => {
  const { ask } = resolver(snapshot(['10.210.7.2']));
  expect(await ask('db', { qtype: 'AAAA' })).toMatchObject({ rcode: 'NOERROR', answers: [] });
  expect(await ask('nobody', { qtype: 'AAAA' })).toMatchObject({ rcode: 'NXDOMAIN', answers: [] });
});

it('gives twenty addresses at most, in turns', async () => {
  const { ask } = resolver(snapshot(many));
  const replies = await Promise.all(Array.from({ length: 60 }, () => ask('db')));
  expect(new Set(replies.map((it) => addresses(it).length))).toEqual(new Set([20]));
  expect(new Set(replies.flatMap(addresses)).size).toBe(40);
  expect(replies.every((it) => !it.flag_tc && it.bytes <= 512)).toBe(true);
});

it('fits twenty addresses of the longest name into the smallest reply', async () => {
  const long = 'a'.repeat(63);
  const names = [{ namespace: long, service: long, addresses: many }];
  const members = [{ address: ASKER, namespace: long }];
  const { ask } = resolver(parseSnapshot(formatSnapshot({ names, members }, network)));
  const reply = await ask(`${long}.${long}.slipway`);
  expect(addresses(reply)).toHaveLength(20);
  expect(reply.bytes).toBeLessThanOrEqual(512);
});

it('marks a reply that does not fit, and sends what does', () => {
  const parsed = parseQuery(dnsPacket.encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'db' }] }));
  if (parsed.kind !== 'query') throw new Error('not a query');
  const [cut, whole] = [100, 65_535].map((maxBytes) => addressReply(parsed.query, many, maxBytes));
  expect(cut?.length).toBeLessThanOrEqual(100);
  expect(dnsPacket.decode(cut as Buffer)).toMatchObject({ flag_tc: true, answers: { length: 5 } });
  expect(dnsPacket.decode(whole as Buffer)).toMatchObject({ flag_tc: false, answers: { length: 40 } });
});

it('answers EDNS with EDNS', async () => {
  const query = dnsPacket.encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'db' }] });
  query.writeUInt16BE(1, 10);
  const opt = Buffer.from('0000291000000000000000', 'hex');
  const reply = await resolver(snapshot(many)).resolve(Buffer.concat([query, opt]), ASKER, 'udp');
  expect(dnsPacket.decode(reply as Buffer).additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
});

it('holds the query of a container that nobody knows yet, until it is known', async () => {
  const { ask, swap } = resolver(snapshot(['10.210.7.2'], []));
  const pending = ask('db');
  await delay(30);
  swap(snapshot(['10.210.7.2']));
  expect(addresses(await pending)).toEqual(['10.210.7.2']);
});

it('answers SERVFAIL, not "no such name", to a container that stays unknown', async () => {
  expect(await resolver(snapshot(['10.210.7.2'], [])).ask('db')).toMatchObject({ rcode: 'SERVFAIL' });
  expect(await resolver(emptyIndex()).ask('db')).toMatchObject({ rcode: 'SERVFAIL' });
});

it('forwards other names, never single labels, and answers SERVFAIL when nobody helps', async () => {
  const forwarded: string[] = [];
  const { ask } = resolver(snapshot([]), async (query) => {
    forwarded.push(query.name);
    return null;
  });
  await ask('single');
  expect(await ask('example.org')).toMatchObject({ rcode: 'SERVFAIL' });
  expect(forwarded).toEqual(['example.org']);
});

it('survives any bytes: no throw, and nothing but a well-formed error goes back', async () => {
  const { resolve } = resolver(snapshot(['10.210.7.2']));
  const query = dnsPacket.encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'db' }] });
  const mutated = fc
    .tuple(fc.nat(query.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 40 }))
    .map(([at, byte, tail]) => {
      const copy = Buffer.concat([query, tail]);
      copy[at] = byte;
      return copy;
    });
  const random = fc.uint8Array({ maxLength: 600 }).map((it) => Buffer.from(it));
  await fc.assert(
    fc.asyncProperty(fc.oneof(random, mutated), async (message) => {
      const reply = await resolve(message, ASKER, 'udp');
      if (reply === null) return;
      expect(reply.subarray(0, 2)).toEqual(message.subarray(0, 2));
      expect(() => dnsPacket.decode(reply)).not.toThrow();
      expect((reply[2] ?? 0) & 0x80).toBe(0x80);
    }),
    { numRuns: 3000 },
  );
});

it('does not answer answers', async () => {
  const { resolve } = resolver(snapshot(['10.210.7.2']));
  const message = dnsPacket.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'db' }] });
  expect(await resolve(message, ASKER, 'udp')).toBeNull();
});

it.each([
  ['a pointer in the question', Buffer.from('000100000001000000000000c00c00010001', 'hex'), 1],
  [
    'two questions',
    dnsPacket.encode({
      type: 'query',
      id: 1,
      questions: [
        { type: 'A', name: 'a' },
        { type: 'A', name: 'b' },
      ],
    }),
    1,
  ],
  ['another operation', Buffer.from('000128000001000000000000026462000001 0001'.replace(/ /g, ''), 'hex'), 4],
])('refuses %s', async (_, message, code) => {
  const reply = await resolver(snapshot(['10.210.7.2'])).resolve(message, ASKER, 'udp');
  expect((reply?.[3] ?? 0) & 15).toBe(code);
});

it('tells the digest of its snapshot to the host and to nobody else', async () => {
  const index = snapshot([]);
  const { resolve } = resolver(index);
  const message = dnsPacket.encode({
    type: 'query',
    id: 1,
    questions: [{ type: 'TXT', class: 'CH', name: 'snapshot.slipway' }],
  });
  const [own, other] = [await resolve(message, '10.210.7.1', 'udp'), await resolve(message, ASKER, 'udp')];
  expect(dnsPacket.decode(own as Buffer).answers).toMatchObject([{ type: 'TXT', data: [Buffer.from(index.digest)] }]);
  expect(rcode(dnsPacket.decode(other as Buffer))).toBe(5);
});
