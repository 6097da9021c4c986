/** Releases whose images stay on the machine. */
import { expect, it } from 'vitest';
import { keptReleases } from '../../agent/needed-images.ts';
import type { LogEntry } from '../../schemas/release.ts';
import { deployId, release } from '../builders/release.ts';
import { image, serviceSpec } from '../builders/service.ts';

const spec = (seed: string) => serviceSpec({ template: { image: image(seed) } });
const released = (n: number, seed: string, final = true) => release([spec(seed)], { n, final });
const common = { namespace: 'production', at: '2026-01-01T00:00:00Z', actor: 'loop', deploy: deployId(9) };
const ended = (n: number): LogEntry => ({ ...common, n, kind: 'void', reason: 'it failed' });
const removed = (n: number): LogEntry => ({ ...common, n, kind: 'removed', planId: '0'.repeat(64), volumes: [] });
const numbers = (entries: readonly LogEntry[], pressure: 'calm' | 'urgent') =>
  keptReleases(entries, pressure).map((it) => it.n);

it('keeps the last five while there is space, and counts no deploy that came to nothing', () => {
  const entries = [1, 2, 3, 4, 5, 6].map((n) => released(n, String(n)));
  expect(numbers([...entries, ended(7), ended(8)], 'calm')).toEqual([2, 3, 4, 5, 6]);
});

it('keeps with little space the live one and the one that a rollback goes back to', () => {
  const entries = [released(1, '1'), released(2, '2'), released(3, '3'), ended(4)];
  expect(numbers(entries, 'urgent')).toEqual([2, 3]);
  // The live one was released twice: back goes to what differs.
  expect(numbers([...entries, released(5, '3')], 'urgent')).toEqual([2, 5]);
  expect(numbers([released(1, '1')], 'urgent')).toEqual([1]);
  expect(numbers([ended(1)], 'urgent')).toEqual([]);
});

it('keeps with little space also the checkpoints since, which mix the two', () => {
  const entries = [released(1, '1'), released(2, '2'), released(3, '3', false), released(4, '4', false)];
  expect(numbers(entries, 'urgent')).toEqual([2, 3, 4]);
});

it.each(['calm', 'urgent'] as const)('keeps nothing of before a removal (%s)', (pressure) => {
  expect(numbers([released(1, '1'), removed(2)], pressure)).toEqual([]);
  expect(numbers([released(1, '1'), removed(2), released(3, '3')], pressure)).toEqual([3]);
});
