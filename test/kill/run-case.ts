/** Runs the kills of one case, back and forth between its two targets. */
import { expect } from 'vitest';
import type { KillCase } from './cases.ts';
import type { KillLab, KillOrder } from './lab.ts';
import { sample } from './points.ts';

export interface KillReport {
  readonly points: number;
  readonly kills: number;
  /** Points that a run did not come to, with what was killed instead. */
  readonly missed: readonly string[];
}

const SEED = 20_240_229;

/**
 * Kills at every point of both directions' traces, or at a sample of them.
 *
 * A point that one run does not come to (parts of an agent run side by side) is tried once more in the same direction.
 */
export async function runCase(
  lab: KillLab,
  it: KillCase,
  options: { readonly count?: number } = {},
): Promise<KillReport> {
  const [first, second] = it.targets;
  await lab.deploy(first);
  const there = await lab.record(second);
  const back = await lab.record(first);
  const chosen = (all: readonly KillOrder[], seed: number) =>
    options.count === undefined ? [...all] : sample(all, options.count, seed);
  // An update is the same both ways: one list, taken from in turn. Otherwise each direction has its own.
  const same = it.kind === 'update';
  const forward = chosen(there, SEED);
  const backward = same ? forward : chosen(back, SEED + 1);
  const points = same ? forward.length : forward.length + backward.length;

  const missed: string[] = [];
  let kills = 0;
  const tried = new Map<KillOrder, number>();
  let target = second;
  while (forward.length + backward.length > 0) {
    const queue = target === second || same ? forward : backward;
    const order = queue.shift();
    if (order === undefined) {
      await lab.record(target);
    } else if (await lab.killAt(target, order)) {
      kills += 1;
    } else {
      const attempts = (tried.get(order) ?? 0) + 1;
      tried.set(order, attempts);
      if (attempts < 3) queue.push(order);
      else missed.push(`${order.victim} ${order.order}`);
    }
    target = target === second ? first : second;
  }
  return { points, kills, missed };
}

/** Fewer kills than the trace has points is a failure. */
export function expectAllKilled(report: KillReport): void {
  expect(report.missed, `${report.kills} kills of ${report.points} points`).toEqual([]);
  expect(report.kills).toBe(report.points);
}
