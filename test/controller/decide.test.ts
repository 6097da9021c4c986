import { describe, expect, it } from 'vitest';
import { awaitsAgreement, decide, maySupersede, retryAtMs } from '../../controller/decide.ts';
import type { NamespaceRecord } from '../../schemas/deploy.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const NOW = Date.parse('2026-01-01T00:00:00.000Z');

function record(overrides: Partial<NamespaceRecord> = {}): NamespaceRecord {
  return { namespace: 'production', carriedOut: null, failed: null, held: null, ...overrides };
}
const failed = (desiredDigest: string, retryAt: string | null) => ({
  failed: { desiredDigest, deploy: null, code: 'NEVER_READY', message: '', retryAt, attempts: 1 },
});
const held = (desiredDigest: string | null) => ({
  held: { by: 'cli/ops', why: 'rolled back', at: '2026-01-01T00:00:00.000Z', desiredDigest },
});

describe('decide', () => {
  it.each([
    { name: 'deploys a digest that was never carried out', it: record(), act: 'deploy' },
    { name: 'leaves a digest that was carried out', it: record({ carriedOut: A }), act: 'nothing' },
    { name: 'deploys when git says something new', it: record({ carriedOut: B }), act: 'deploy' },
    { name: 'keeps its hands off what is held', it: record({ carriedOut: A, ...held(A) }), act: 'nothing' },
    { name: 'keeps its hands off what is held against whatever git says', it: record(held(null)), act: 'nothing' },
    { name: 'ends a hold when git says something new', it: record({ carriedOut: B, ...held(B) }), act: 'deploy' },
    { name: 'does not try a failed digest again', it: record(failed(A, null)), act: 'nothing' },
    { name: 'tries a new digest after a failed one', it: record(failed(B, null)), act: 'deploy' },
    {
      name: 'waits until a failure may be tried again',
      it: record(failed(A, '2026-01-01T00:00:05.000Z')),
      act: 'later',
    },
    { name: 'tries again when its time has come', it: record(failed(A, '2025-12-31T23:59:59.000Z')), act: 'deploy' },
    {
      name: 'stays held although the digest failed before',
      it: record({ ...held(A), ...failed(A, null) }),
      act: 'nothing',
    },
  ])('$name', ({ it: given, act }) => {
    expect(decide(given, A, NOW, null).act).toBe(act);
  });

  it.each([
    { name: 'deploys for a new version of a secret', it: record({ carriedOut: A, secrets: A }), act: 'deploy' },
    { name: 'leaves versions that were carried out', it: record({ carriedOut: A, secrets: B }), act: 'nothing' },
    {
      name: 'tries a failed digest again with another version of a secret',
      it: record({ failed: { ...failed(A, null).failed, secrets: A } }),
      act: 'deploy',
    },
    {
      name: 'stays held when a secret changes',
      it: record({ carriedOut: A, secrets: A, ...held(A) }),
      act: 'nothing',
    },
  ])('$name', ({ it: given, act }) => {
    expect(decide(given, A, NOW, B).act).toBe(act);
  });
});

describe('a digest that waits for people', () => {
  const waiting = (code: string) => record({ failed: { ...failed(A, null).failed, code } });

  it.each(['CONSENT_NEEDED', 'APPROVAL_NEEDED'])('is tried again after %s once they said yes', (code) => {
    expect(decide(waiting(code), A, NOW, null).act).toBe('nothing');
    expect(decide(waiting(code), A, NOW, null, true).act).toBe('deploy');
    expect(decide({ ...waiting(code), ...held(A) }, A, NOW, null, true).act).toBe('nothing');
  });

  it('is not tried again for a yes that was not missing', () => {
    expect(decide(waiting('NEVER_READY'), A, NOW, null, true).act).toBe('nothing');
    expect(awaitsAgreement(waiting('CONSENT_NEEDED'), B)).toBe(false);
  });
});

describe('retryAtMs', () => {
  it('backs off up to five minutes, waits at a fixed interval, or leaves it to people', () => {
    expect([1, 2, 3].map((attempts) => retryAtMs('STATE_UNAVAILABLE', attempts, 0))).toEqual([2_000, 4_000, 8_000]);
    expect(retryAtMs('STATE_UNAVAILABLE', 30, 0)).toBe(300_000);
    expect([1, 9].map((attempts) => retryAtMs('MACHINE_UNREACHABLE', attempts, 0))).toEqual([10_000, 10_000]);
    expect(retryAtMs('NEVER_READY', 1, 0)).toBe(null);
    expect(retryAtMs('no such code', 1, 0)).toBe(null);
  });
});

describe('maySupersede', () => {
  it('interrupts twice in a row at most, and never a job or what was approved', () => {
    expect(maySupersede({ supersededInARow: 0, jobRunning: false, approved: true })).toBe(false);
    expect(maySupersede({ supersededInARow: 1, jobRunning: false, approved: false })).toBe(true);
    expect(maySupersede({ supersededInARow: 2, jobRunning: false, approved: false })).toBe(false);
    expect(maySupersede({ supersededInARow: 0, jobRunning: true, approved: false })).toBe(false);
  });
});
