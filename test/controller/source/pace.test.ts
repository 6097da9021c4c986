import { expect, it } from 'vitest';
import { PACES, pollDelayMs, retryDelayMs } from '../../../controller/source/pace.ts';

it('a branch on this machine is looked at more often than every 250 ms, whatever failed', () => {
  for (const failures of [0, 1, 5, 1_000]) expect(pollDelayMs(PACES.local, failures, 0.99)).toBeLessThan(250);
});

it('a remote one is asked every 15 s give or take a fifth', () => {
  expect(pollDelayMs(PACES.remote, 0, 0)).toBe(12_000);
  expect(pollDelayMs(PACES.remote, 0, 0.5)).toBe(15_000);
  expect(pollDelayMs(PACES.remote, 0, 0.9999)).toBeLessThanOrEqual(18_000);
});

it('failures of a remote one back off to five minutes and no further', () => {
  const delays = [0, 1, 2, 3, 4, 5, 6, 1_000_000].map((it) => pollDelayMs(PACES.remote, it, 0.5));
  expect(delays).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
});

it('an unreadable revision is tried again ever more seldom', () => {
  expect([1, 2, 3, 10, 1_000_000].map((it) => retryDelayMs(PACES.local, it))).toEqual([250, 500, 1_000, 5_000, 5_000]);
});
