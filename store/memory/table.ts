/** A table in memory: keeps, replaces and expires messages as a JetStream stream of one copy does. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Asset } from '../assets.ts';
import type { Clock } from '../clock.ts';
import { keyMatches } from '../encode.ts';
import type { Message, Table, TailOptions } from '../table.ts';

interface Stored extends Message {
  readonly at: number;
}

/** @param asset what it keeps, and for how long by the clock */
export function createMemoryTable({ asset, clock }: { readonly asset: Asset; readonly clock: Clock }): Table {
  const bySequence = new Map<number, Stored>();
  const newest = new Map<string, number>();
  const tails = new Set<TailOptions>();
  let lastSequence = 0;

  function drop(it: Stored): void {
    bySequence.delete(it.sequence);
    if (newest.get(it.key) === it.sequence) newest.delete(it.key);
  }

  function expire(): void {
    if (asset.ttlMs === null) return;
    for (const it of bySequence.values()) {
      if (it.at + asset.ttlMs > clock.now()) return;
      drop(it);
    }
  }

  function lastOf(key: string): Stored | null {
    expire();
    return bySequence.get(newest.get(key) ?? 0) ?? null;
  }

  return {
    ttlMs: asset.ttlMs,
    last: async (key) => lastOf(key),
    async lastUnder(prefix) {
      expire();
      const sequences = [...newest].filter(([key]) => keyMatches(`${prefix}.*`, key)).map(([, it]) => it);
      return bySequence.get(Math.max(0, ...sequences)) ?? null;
    },
    async at(sequence) {
      expire();
      return bySequence.get(sequence) ?? null;
    },
    async keys(filter) {
      expire();
      return [...newest.keys()].filter((key) => keyMatches(filter, key)).toSorted();
    },
    async state() {
      expire();
      const first = bySequence.keys().next().value ?? lastSequence + 1;
      return { created: 'memory', first, last: lastSequence };
    },
    async tail(options) {
      const waiting = [...bySequence.values()].filter((it) => it.sequence >= options.from);
      tails.add(options);
      for (const it of waiting) options.onMessage(it);
      return { pending: waiting.length, stop: () => void tails.delete(options) };
    },
    onRestored() {},
    async write({ key, body, expected, writeId = null, deleted = false }) {
      const before = lastOf(key);
      if (expected !== undefined && expected !== (before?.sequence ?? 0)) {
        throw new SlipwayError('STATE_CONFLICT', `${key} is at ${before?.sequence ?? 0}, not ${expected}`);
      }
      if (before !== null && asset.keepEach === 1) drop(before);
      lastSequence += 1;
      const message: Stored = { key, sequence: lastSequence, body, writeId, deleted, at: clock.now() };
      bySequence.set(lastSequence, message);
      newest.set(key, lastSequence);
      for (const tail of tails) tail.onMessage(message);
      return message.sequence;
    },
  };
}
