/** The rules of the resolver. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide, sample } from '../../../agent/dns/decide.ts';
import { emptyIndex, formatSnapshot, parseSnapshot } from '../../../agent/dns/snapshot.ts';

const network = { name: 'n', bridge: 'slip0', subnet: '10.210.7.0/24', gatewayAddress: '10.210.7.1' };
const table = {
  names: [
    { namespace: 'production', service: 'db', addresses: ['10.210.7.2'] },
    { namespace: 'staging', service: 'db', addresses: ['10.210.7.3'] },
    { namespace: 'dev', service: 'web', addresses: ['10.210.7.4'] },
    { namespace: 'production', service: 'idle', addresses: [] },
  ],
  members: [
    { address: '10.210.7.2', namespace: 'production' },
    { address: '10.210.7.3', namespace: 'staging' },
  ],
};
const index = parseSnapshot(formatSnapshot(table, network));
const [PRODUCTION, STAGING, NEWCOMER, HOST] = ['10.210.7.2', '10.210.7.3', '10.210.7.99', '10.210.7.1'] as const;

it.each([
  [PRODUCTION, 'db', '10.210.7.2'],
  [STAGING, 'db', '10.210.7.3'],
  [PRODUCTION, 'db.production', '10.210.7.2'],
  [PRODUCTION, 'db.production.slipway', '10.210.7.2'],
  [PRODUCTION, 'idle', ''],
  [HOST, 'db.production', '10.210.7.2'],
  [HOST, 'db.staging.slipway', '10.210.7.3'],
  ['192.0.2.2', 'db.staging.slipway', '10.210.7.3'],
  [STAGING, 'db.production', 'no-such-name'],
  [STAGING, 'db.production.slipway', 'no-such-name'],
  [STAGING, 'idle', 'no-such-name'],
  [STAGING, 'mistyped', 'no-such-name'],
  [HOST, 'db', 'no-such-name'],
  [PRODUCTION, 'a.db.production.slipway', 'no-such-name'],
  [PRODUCTION, 'production.slipway', 'no-such-name'],
  [PRODUCTION, 'slipway', 'no-such-name'],
  [PRODUCTION, '2.7.210.10.in-addr.arpa', 'no-such-name'],
  [NEWCOMER, 'db', 'wait'],
  [NEWCOMER, 'db.production', 'wait'],
  [NEWCOMER, 'db.production.slipway', 'wait'],
  [NEWCOMER, 'example.org', 'forward'],
  [PRODUCTION, 'example.org', 'forward'],
  [PRODUCTION, 'go.dev', 'forward'],
  [PRODUCTION, 'web.dev', 'no-such-name'],
  [PRODUCTION, 'db.production.example.org', 'forward'],
  [PRODUCTION, '', 'forward'],
])('tells %s that %s is "%s"', (address, name, expected) => {
  const decision = decide(index, index.caller(address), name);
  expect(decision.kind === 'addresses' ? decision.addresses.join() : decision.kind).toBe(expected);
});

it('knows nobody and nothing before the first snapshot, and still forwards', () => {
  const nothing = emptyIndex();
  expect(decide(nothing, nothing.caller(PRODUCTION), 'db')).toEqual({ kind: 'wait' });
  expect(decide(nothing, nothing.caller(PRODUCTION), 'example.org')).toEqual({ kind: 'forward' });
});

it('writes the same file for any order of rows', () => {
  const other = { names: table.names.toReversed(), members: table.members.toReversed() };
  expect(formatSnapshot(other, network)).toBe(formatSnapshot(table, network));
});

it.each(['', 'null', '[]', '{"version":2}', '{"version":1,"subnet":"x","gatewayAddress":"y","names":[],"members":{}}'])(
  'refuses the file %j',
  (text) => {
    expect(() => parseSnapshot(text)).toThrow(Error);
  },
);

it('samples as many different values as asked, each of them at any place', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer()),
      fc.nat(30),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (all, count, numbers) => {
        const taken = sample(all, count, () => numbers.next().value ?? 0);
        expect(new Set(taken).size).toBe(Math.min(count, all.length));
        expect(all).toEqual(expect.arrayContaining(taken));
      },
    ),
  );
  const firsts = new Set(Array.from({ length: 200 }, () => sample([1, 2, 3], 2, Math.random)[0]));
  expect(firsts.size).toBe(3);
});
