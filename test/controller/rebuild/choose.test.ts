import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseLog, LOST_DEPLOY, LOST_REASON, type Told } from '../../../controller/rebuild/choose.ts';
import { lostRecord, lostSecrets } from '../../../controller/rebuild/lost-secrets.ts';
import type { LogEntry, Release } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';
import { deployId, release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const web = serviceSpec();
const specs: ReadonlyMap<string, ServiceSpec> = new Map([[specDigest(web), web]]);
const at = '2026-02-01T00:00:00.000Z';
const base = { namespace: 'production', at, actor: 'cli/ops' };

const nth = (n: number, overrides: Partial<Release> = {}) =>
  release([web], {
    n,
    deploy: deployId(n),
    lineage: { previous: n === 1 ? null : n - 1, rollbackTo: null },
    ...overrides,
  });
const voided = (n: number): LogEntry => ({
  kind: 'void',
  namespace: 'production',
  n,
  at: nth(1).at,
  actor: 'loop',
  deploy: deployId(n),
  reason: 'never ready',
});
const told = (live: Release | null, overrides: Partial<Told> = {}): Told => ({
  machine: 'm1',
  tip: live?.n ?? 0,
  fence: { generation: 1, revision: 9 },
  open: [],
  live,
  specs,
  ...overrides,
});
const choose = (git: readonly LogEntry[], all: readonly Told[], present: readonly LogEntry[] = []) =>
  chooseLog({ ...base, present, git, told: all });
const kinds = (entries: readonly LogEntry[]) => entries.map((it) => `${it.n} ${it.kind}`);

describe('what comes back of a log', () => {
  it('is what git has, byte for byte, when agents know nothing newer', () => {
    const git = [nth(1), voided(2), nth(3)];
    expect(choose(git, [told(nth(3))])).toMatchObject({
      entries: git,
      live: { n: 3, from: 'git' },
      lost: [],
      refused: [],
    });
    expect(choose(git, [told(nth(1))]).live?.n).toBe(3);
    expect(choose(git, []).entries).toEqual(git);
  });

  it('is the release of an agent where git has none as new, with what lies between said to be lost', () => {
    const newest = nth(4, { lineage: { previous: 1, rollbackTo: null } });
    const { entries, live, lost } = choose([nth(1)], [told(newest, { tip: 5 })]);
    expect(kinds(entries)).toEqual(['1 release', '2 void', '3 void', '4 release', '5 void']);
    expect(entries[3]).toEqual(newest);
    expect(entries[1]).toEqual({ ...base, kind: 'void', n: 2, deploy: LOST_DEPLOY, reason: LOST_REASON });
    expect([live, lost]).toEqual([{ n: 4, from: 'machine m1' }, [2, 3, 5]]);
  });

  it('is nothing live when whoever read furthest saw that it was removed', () => {
    const { entries, live } = choose([nth(1), nth(2)], [told(null, { tip: 3 })]);
    expect(kinds(entries)).toEqual(['1 release', '2 release', '3 removed']);
    expect(live).toBeNull();
    expect(choose([nth(1), nth(2)], [told(null, { tip: 1 })]).live?.n).toBe(2);
    expect(choose([nth(1)], [told(null, { tip: 3 }), told(nth(1), { tip: 3, machine: 'm2' })]).live?.n).toBe(1);
  });

  it('ends deploys that agents hold open, and the one of a last checkpoint', () => {
    const open = told(nth(2), { open: [deployId(7), deployId(2)] });
    const { entries } = choose([nth(1), nth(2)], [open, { ...open, machine: 'm2' }]);
    expect(entries.slice(2)).toEqual([expect.objectContaining({ kind: 'void', n: 3, deploy: deployId(7) })]);
    const checkpoint = nth(2, { final: false });
    expect(choose([nth(1), checkpoint], []).entries.at(-1)).toMatchObject({ kind: 'void', n: 3, deploy: deployId(2) });
  });

  it('is the same when it is chosen again after a part of it was written', () => {
    const all = [told(nth(4, { lineage: { previous: 1, rollbackTo: null } }), { tip: 6, open: [deployId(9)] })];
    const whole = choose([nth(1)], all).entries;
    for (let i = 0; i <= whole.length; i++) {
      const later = { ...base, at: '2026-03-01T00:00:00.000Z' };
      const present = whole.slice(0, i);
      const again = chooseLog({ ...later, present, git: [nth(1)], told: all }).entries;
      expect(again.slice(0, i)).toEqual(present);
      expect(kinds(again)).toEqual(kinds(whole));
    }
    // The agent has closed by now what the first attempt ended.
    const closed = all.map((it) => ({ ...it, open: [] }));
    expect(choose([nth(1)], closed, whole).entries.map((it) => it.n)).toEqual(whole.map((it) => it.n));
  });
});

describe('what an agent says', () => {
  const evil = serviceSpec({ imageName: 'evil' });
  const cases: [string, readonly LogEntry[], readonly Told[], string][] = [
    ['another release than the signed one', [nth(1)], [told(nth(1, { actor: 'eve' }))], 'another entry than'],
    [
      'a spec that is another',
      [nth(1)],
      [told(nth(2), { specs: new Map([[specDigest(web), evil]]) })],
      'another one than',
    ],
    ['a release without its spec', [nth(1)], [told(nth(2), { specs: new Map() })], 'is not there'],
    ['a release of another namespace', [nth(1)], [told(nth(2, { namespace: 'staging' }))], 'a release of staging'],
    ['a release that it has not read', [nth(1)], [told(nth(2), { tip: 1 })], 'newer than what the machine has read'],
    [
      'something else than another agent',
      [nth(1)],
      [told(nth(2)), told(nth(2, { actor: 'eve' }), { machine: 'm2' })],
      'say different things',
    ],
    ['a release that follows a removal', [nth(1), voided(2)], [told(nth(3))], 'follows #2, which is no release'],
    ['that it read far further than anybody', [nth(1)], [told(nth(1), { tip: 2_000_000_000 })], 'too far'],
  ];

  it.each(cases)('is not believed: %s', (_, git, all, why) => {
    const { live, refused, entries } = choose(git, all);
    expect(live).toEqual({ n: 1, from: 'git' });
    expect(refused.join()).toContain(why);
    // What it must read again lies after what it has read.
    const read = Math.max(...all.map((it) => it.tip).filter((tip) => tip < 100));
    expect(entries.length).toBeGreaterThan(Math.max(read, git.length));
  });

  it('never makes a log with gaps, nor changes what is signed', () => {
    const entry = fc.record({ n: fc.integer({ min: 1, max: 8 }), final: fc.boolean() });
    const claim = fc.record({
      n: fc.integer({ min: 0, max: 12 }),
      tip: fc.integer({ min: 0, max: 12 }),
      open: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(entry), fc.array(claim, { maxLength: 3 }), (signed, claims) => {
        const git = signed.map(({ n, final }) => nth(n, { final }));
        const all = claims.map(({ n, tip, open }, i) =>
          told(n === 0 ? null : nth(n), { tip, open: open.map(deployId), machine: `m${i}` }),
        );
        const { entries } = choose(git, all);
        expect(entries.map((it) => it.n)).toEqual(entries.map((_, i) => i + 1));
        const firsts = git.filter((it, i) => git.findIndex(({ n }) => n === it.n) === i);
        expect(firsts.map((it) => entries[it.n - 1])).toEqual(firsts);
        expect(kinds(choose(git, all, entries).entries)).toEqual(kinds(entries));
      }),
    );
  });
});

describe('secrets of a rebuilt state', () => {
  it('are named with the highest version ever released, and the next is given a number above it', () => {
    const spec = (version: number) => serviceSpec({ template: { secrets: { password: version } } });
    const [old, now] = [spec(4), spec(2)];
    const log = [release([old], { n: 1 }), release([now], { n: 2 }), voided(3)];
    const all = new Map([old, now].map((it) => [specDigest(it), it]));
    const [lost, ...more] = lostSecrets(log, all);
    expect([lost, more]).toEqual([{ namespace: 'production', name: 'password', version: 4 }, []]);
    const record = lost && lostRecord(lost, at, 'cli/ops');
    expect(record).toMatchObject({ sealed: null });
    expect(record?.version).toBeGreaterThan(4);
  });
});
