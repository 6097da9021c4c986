/** What the log, buckets and watches make of writes that are lost on the way, in memory where every loss can be chosen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../schemas/logger.ts';
import { LogEntry } from '../../schemas/release.ts';
import { systemClock } from '../../store/clock.ts';
import type { Fault, Faults } from '../../store/memory/faults.ts';
import { createFaultyStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';
import { deployId } from '../builders/release.ts';

function entry(reason: string, n = 1): LogEntry {
  const at = '2026-01-01T00:00:00.000Z';
  return LogEntry.parse({ namespace: 'production', n, at, actor: 'loop', kind: 'void', deploy: deployId(), reason });
}

describe('with losses', () => {
  let store: Store;
  let faults: Faults;
  beforeEach(() => {
    const timing = { patienceMs: 400, watchCheckMs: 100 };
    ({ store, faults } = createFaultyStore({ clock: systemClock, log: silentLogger, timing }));
  });
  afterEach(async () => await store.close());

  it.each<{ losses: Fault[] }>([
    { losses: ['lost-request'] },
    { losses: ['lost-reply'] },
    { losses: ['lost-request', 'lost-request', 'lost-reply'] },
  ])('an append that met $losses is committed once', async ({ losses }) => {
    faults.inject('log', ...losses);
    expect(await store.log.append(entry('ours'))).toEqual({ outcome: 'committed' });
    expect(await store.log.entries('production')).toEqual([entry('ours')]);
  });

  it('an append that comes late loses its number to whoever took it meanwhile', async () => {
    faults.inject('log', 'late');
    const giveUp = new AbortController();
    const appending = store.log.append(entry('ours'), giveUp.signal);
    giveUp.abort();
    await expect(appending).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(await store.log.append(entry('theirs'))).toEqual({ outcome: 'committed' });
    await faults.deliverLate();
    expect(await store.log.entries('production')).toEqual([entry('theirs')]);
    expect(await store.log.append(entry('ours'))).toEqual({ outcome: 'lost', winner: entry('theirs') });
  });

  it('an append that comes late and was tried again is committed once', async () => {
    faults.inject('log', 'late');
    expect(await store.log.append(entry('ours'))).toEqual({ outcome: 'committed' });
    await faults.deliverLate();
    expect(await store.log.entries('production')).toEqual([entry('ours')]);
  });

  it('an append to a full store says so, and leaves the number free', async () => {
    faults.inject('log', 'full');
    await expect(store.log.append(entry('ours'))).rejects.toMatchObject({ code: 'STATE_FULL' });
    expect(await store.log.append(entry('another'))).toEqual({ outcome: 'committed' });
  });

  it('an append waits for the store until its signal aborts', async () => {
    faults.disconnect();
    const appending = store.log.append(entry('ours'), AbortSignal.timeout(300));
    await expect(appending).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    const patient = store.log.append(entry('ours'));
    await sleep(600);
    faults.reconnect();
    expect(await patient).toEqual({ outcome: 'committed' });
  });

  it('an update whose reply was lost is ours, one that another overtook is not', async () => {
    const bucket = store.bucket('deploys');
    const first = await bucket.create(['k'], 1);
    faults.inject('deploys', 'lost-reply');
    const second = await bucket.update(['k'], 2, first);
    expect(await bucket.get(['k'])).toMatchObject({ value: 2, revision: second });
    faults.inject('deploys', 'lost-request');
    const overtaken = bucket.update(['k'], 3, second);
    await bucket.update(['k'], 3, second);
    await expect(overtaken).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it('a put whose reply was lost does not come back over a later one', async () => {
    const bucket = store.bucket('deploys');
    faults.inject('deploys', 'lost-reply');
    const revision = await bucket.put(['k'], 1);
    expect(await bucket.get(['k'])).toMatchObject({ value: 1, revision });
  });

  it('reads and writes give up in the end, with the right word', async () => {
    faults.disconnect();
    await expect(store.bucket('deploys').get(['k'])).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(store.bucket('deploys').put(['k'], 1)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    await expect(store.specs.put([1])).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });

  it('a watch that begins without a connection delivers when there is one', async () => {
    await store.bucket('heads').put(['k'], 1);
    faults.disconnect();
    const seen: unknown[] = [];
    const watching = new AbortController();
    const begun = store.bucket('heads').watch(({ value }) => seen.push(value), watching.signal);
    await sleep(600);
    expect(seen).toEqual([]);
    faults.reconnect();
    await begun;
    expect(seen).toEqual([1]);
    watching.abort();
  });

  it('a watch that never had a connection ends quietly with its signal', async () => {
    faults.disconnect();
    const watching = store.bucket('heads').watch(() => {}, AbortSignal.timeout(100));
    await expect(watching).resolves.toBeUndefined();
  });
});
