/** Polling, on a clock that the test moves: what is found, how often is looked, and what an outage leaves to do. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commentTwin } from '../../../controller/forge/hints.ts';
import { createPoller, type Poller } from '../../../controller/forge/poll.ts';
import { Delivery } from '../../../schemas/delivery.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Faults } from '../../../store/memory/faults.ts';
import { createFaultyStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { ALICE, BOT, createFakeForge, type FakeForge, REPOSITORY_ID } from '../../fakes/forge.ts';

const START = '2026-01-01T00:00:00Z';
const HOUR_MS = 3_600_000;
let stop: AbortController;
let forge: FakeForge;
let store: Store;
let faults: Faults;
let poller: Poller;
let clock: ReturnType<typeof handClock>;
let alls: number;
let allFails: boolean;
let told: string[];

beforeEach(() => {
  stop = new AbortController();
  forge = createFakeForge({ startsAt: START });
  clock = handClock(Date.parse(START));
  const timing = { patienceMs: 1 };
  ({ store, faults } = createFaultyStore({ clock, log: silentLogger, timing }));
  [alls, allFails, told] = [0, false, []];
});
afterEach(async () => {
  stop.abort();
  await store.close();
});

function begin(): void {
  void store.deliveries.consume(async (value) => {
    const { hint } = Delivery.parse(value);
    told.push(
      hint.kind === 'comment' ? `comment ${hint.id}` : hint.kind === 'pull' ? `pull ${hint.number}` : hint.kind,
    );
  }, stop.signal);
  poller = createPoller({
    forge,
    deliveries: store.deliveries,
    cursors: store.bucket('cursors'),
    onConnection: (onChange, signal) => store.onConnection(onChange, signal),
    all: async () => {
      alls += 1;
      if (allFails) throw new Error('not now');
    },
    clock,
    random: () => 0.5,
    log: silentLogger,
  });
  void poller.run(stop.signal);
}

const polls = () => forge.calls.filter((it) => it === 'listPulls').length;

describe('polling', () => {
  it('looks at everything first, then only at what changed, each change once', async () => {
    forge.open();
    forge.open();
    begin();
    await clock.pass(0);
    expect([alls, told]).toEqual([1, []]);
    await clock.pass(HOUR_MS);
    expect([alls, told]).toEqual([1, []]);
    forge.push(2);
    forge.open();
    await clock.pass(60_000);
    expect(told).toEqual(['pull 2', 'pull 3']);
    forge.merge(3);
    forge.close(2);
    await clock.pass(HOUR_MS);
    expect(told.slice(2).toSorted((a, b) => a.localeCompare(b))).toEqual(['pull 2', 'pull 3']);
  });

  it('sees two changes of one second', async () => {
    forge.open();
    begin();
    await clock.pass(0);
    const { updatedAt } = forge.edit(1, { labels: ['preview'] });
    await clock.pass(60_000);
    forge.pulls.set(1, { ...forge.edit(1, { labels: [] }), updatedAt });
    await clock.pass(60_000);
    expect(told).toEqual(['pull 1', 'pull 1']);
  });

  it('asks every 30 to 60 seconds, or every 5 minutes while webhooks come', async () => {
    begin();
    await clock.pass(HOUR_MS);
    expect(polls()).toBe(81);
    poller.heard(null);
    await clock.pass(HOUR_MS);
    expect(polls()).toBeGreaterThanOrEqual(81 + 12);
    expect(polls()).toBeLessThanOrEqual(81 + 13);
  });

  it('is frequent again after a change that no webhook told of, until one comes', async () => {
    forge.open();
    begin();
    await clock.pass(60_000);
    poller.heard(null);
    forge.push(1);
    poller.heard(1);
    await clock.pass(HOUR_MS);
    const slow = polls();
    expect(slow).toBeLessThan(20);
    forge.push(1);
    await clock.pass(HOUR_MS);
    expect(polls() - slow).toBeGreaterThan(70);
  });
});

describe('comments', () => {
  it('are handed over once, also across a restart; ours, those of bots and edited old ones are not', async () => {
    forge.open();
    const before = forge.comment(1, ALICE, '/slipway destroy');
    clock.set(Date.parse(forge.now()) + 1_000);
    begin();
    await clock.pass(0);
    for (let i = 0; i < 3; i++) forge.edit(1, {});
    const one = forge.comment(1, ALICE, '/slipway plan');
    forge.comment(1, BOT, '/slipway plan');
    forge.comment(1, { id: 77, login: 'other[bot]', bot: true }, '/slipway plan');
    forge.editComment(before.id, '/slipway plan');
    await clock.pass(60_000);
    expect(told.filter((it) => it.startsWith('comment'))).toEqual([`comment ${one.id}`]);
    forge.editComment(one.id, '/slipway destroy');
    poller.heard(null);
    await clock.pass(4 * 24 * HOUR_MS);
    stop.abort();
    stop = new AbortController();
    const two = forge.comment(1, ALICE, '/slipway help');
    begin();
    await clock.pass(60_000);
    expect(told.filter((it) => it.startsWith('comment'))).toEqual([`comment ${one.id}`, `comment ${two.id}`]);
  });

  it('are not lost when they cannot be stored, nor told twice when a webhook told of them', async () => {
    forge.open();
    begin();
    await clock.pass(0);
    for (let i = 0; i < 3; i++) forge.edit(1, {});
    const { id } = forge.comment(1, ALICE, '/slipway plan');
    faults.inject('hooks', 'full', 'full', 'full');
    await clock.pass(60_000);
    expect(told.filter((it) => it.startsWith('comment'))).toEqual([]);
    await clock.pass(HOUR_MS);
    expect(told.filter((it) => it.startsWith('comment'))).toEqual([`comment ${id}`]);
    const known = forge.comment(1, ALICE, '/slipway help');
    const delivery = {
      hint: { kind: 'comment', number: 1, id: known.id },
      event: 'issue_comment',
      action: 'created',
      repositoryId: REPOSITORY_ID,
      revision: null,
      at: START,
    };
    await store.deliveries.put({ id: 'd', twin: commentTwin(REPOSITORY_ID, known.id), value: delivery });
    await clock.pass(HOUR_MS);
    expect(told.filter((it) => it === `comment ${known.id}`)).toHaveLength(1);
  });
});

describe('an outage', () => {
  it('of the forge for more than a minute makes everything be looked at; it is asked less and less meanwhile', async () => {
    begin();
    await clock.pass(10 * 60_000);
    expect(alls).toBe(1);
    forge.failing.set('all', 'FORGE_UNAVAILABLE');
    const before = forge.calls.length;
    await clock.pass(HOUR_MS);
    expect(forge.calls.length - before).toBeLessThan(20);
    forge.failing.clear();
    await clock.pass(HOUR_MS);
    expect(alls).toBe(2);
  });

  it('of the store does so too, and a delivery that could not be kept does within seconds', async () => {
    begin();
    await clock.pass(60_000);
    poller.heard(null);
    await clock.pass(HOUR_MS);
    faults.disconnect();
    await clock.pass(30_000);
    faults.reconnect();
    await clock.pass(HOUR_MS);
    expect(alls).toBe(1);
    faults.disconnect();
    await clock.pass(120_000);
    faults.reconnect();
    // The store's own patience is in real time.
    await sleep(60);
    await clock.pass(10_000);
    expect(alls).toBe(2);
    await clock.pass(HOUR_MS);
    poller.missed();
    await clock.pass(6_000);
    expect(alls).toBe(3);
  });

  it('leaves it owed until it was done', async () => {
    allFails = true;
    begin();
    poller.heard(null);
    await clock.pass(HOUR_MS / 4);
    expect(alls).toBeGreaterThan(10);
    allFails = false;
    await clock.pass(60_000);
    const done = alls;
    await clock.pass(HOUR_MS);
    expect(alls).toBe(done);
  });
});

/** A clock that stands still until time is made to pass; those who sleep are woken in order. */
function handClock(startMs: number) {
  let nowMs = startMs;
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  const settle = async () => {
    for (let i = 0; i < 12; i++) await turn();
  };
  return {
    now: () => nowMs,
    set: (ms: number) => void (nowMs = ms),
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted === true) return;
      await new Promise<void>((wake) => {
        const end = () => {
          signal?.removeEventListener('abort', end);
          sleepers.delete(sleeper);
          wake();
        };
        const sleeper = { dueMs: nowMs + ms, wake: end };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', end);
      });
    },
    async pass(ms: number) {
      const untilMs = nowMs + ms;
      await settle();
      for (;;) {
        const next = [...sleepers].toSorted((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined || next.dueMs > untilMs) break;
        nowMs = Math.max(nowMs, next.dueMs);
        next.wake();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}
