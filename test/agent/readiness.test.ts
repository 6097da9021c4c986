/** Readiness, one probe after another. */
import { expect, it } from 'vitest';
import { afterProbe, firstHealth, type Health, isStuck, nextProbeInMs, settled } from '../../agent/readiness.ts';
import { execReadiness } from '../fakes/agent-world.ts';

const ok = { ok: true, text: 'fine' };
const bad = { ok: false, text: 'no' };
const three = { retries: 3 };

function probed(health: Health, ...results: (typeof ok)[]): Health {
  return results.reduce((it, result) => afterProbe(it, result, three, 100), health);
}

it('is ready at the first success, however often it failed before', () => {
  expect(probed(firstHealth(false, 0), bad, bad, bad, bad).phase).toBe('starting');
  expect(probed(firstHealth(false, 0), bad, bad, bad, bad, ok).phase).toBe('ready');
});

it('leaves routing after `retries` failures in a row, and is back at the first success', () => {
  const ready = probed(firstHealth(false, 0), ok);
  expect(probed(ready, bad, bad).phase).toBe('ready');
  expect(probed(ready, bad, bad, ok, bad, bad).phase).toBe('ready');
  expect(probed(ready, bad, bad, bad).phase).toBe('unready');
  expect(probed(ready, bad, bad, bad, ok).phase).toBe('ready');
});

it('does not decide on an adopted instance by one failure', () => {
  expect(probed(firstHealth(true, 0), bad, bad).phase).toBe('undecided');
  expect(probed(firstHealth(true, 0), bad, bad, bad).phase).toBe('unready');
});

it('probes eagerly until ready, the first times most of all, then at the interval', () => {
  const slow = { intervalMs: 10_000 };
  const waits = [1, 2, 3, 4, 5, 6, 7].map((count) =>
    nextProbeInMs(probed(firstHealth(false, 0), ...Array.from({ length: count }, () => bad)), slow),
  );
  expect(waits).toEqual([20, 40, 80, 160, 250, 250, 250]);
  expect(nextProbeInMs({ ...firstHealth(false, 0), failures: 9 }, { intervalMs: 100 })).toBe(100);
  expect(nextProbeInMs(probed(firstHealth(false, 0), ok), slow)).toBe(10_000);
});

it('is ready without a probe once it has run for half a second', () => {
  const fresh = firstHealth(false, 1000);
  expect(settled(fresh, 1000, 1400).phase).toBe('starting');
  expect(settled(fresh, 1000, 1500).phase).toBe('ready');
});

it('is stuck when unready, or never ready after its start period, for the liveness timeout; never without one', () => {
  const readiness = execReadiness({ livenessTimeoutMs: 1000, startPeriodMs: 5000 });
  const starting = firstHealth(false, 0);
  expect(isStuck(starting, readiness, 0, 5999)).toBe(false);
  expect(isStuck(starting, readiness, 0, 6000)).toBe(true);
  const unready: Health = { phase: 'unready', since: 100, failures: 3, lastProbe: null };
  expect(isStuck(unready, readiness, 0, 1099)).toBe(false);
  expect(isStuck(unready, readiness, 0, 1100)).toBe(true);
  expect(isStuck(unready, execReadiness(), 0, 1e9)).toBe(false);
  expect(isStuck({ ...unready, phase: 'ready' }, readiness, 0, 1e9)).toBe(false);
});
