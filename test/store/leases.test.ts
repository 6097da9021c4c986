/** Leases against a clock that tests move. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../schemas/logger.ts';
import type { Faults } from '../../store/memory/faults.ts';
import { createFaultyStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';

const NAME = ['namespace', 'production'];
/** Renewals are looked for four times a second. */
const A_LOOK_MS = 600;

describe('leases', () => {
  let store: Store;
  let faults: Faults;
  let now: number;
  beforeEach(() => {
    now = Date.UTC(2026, 0, 1);
    const clock = { now: () => now };
    ({ store, faults } = createFaultyStore({ clock, log: silentLogger, timing: { patienceMs: 50 } }));
  });
  afterEach(async () => await store.close());

  async function pass(ms: number): Promise<void> {
    now += ms;
    await new Promise((resolve) => setTimeout(resolve, A_LOOK_MS));
  }

  it('are renewed in time, so that nobody else gets in', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    for (let i = 0; i < 4; i++) await pass(9_000);
    expect(lease?.lost.aborted).toBe(false);
    expect(await store.leases.acquire(NAME, 'second')).toBeNull();
    await lease?.release();
  });

  it('are lost 20 s after the last renewal that was confirmed, 10 s before another can have them', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    faults.disconnect();
    await pass(19_000);
    expect(lease?.lost.aborted).toBe(false);
    await pass(1_000);
    expect(lease?.lost.aborted).toBe(true);
    expect(lease?.lost.reason).toMatchObject({ code: 'LEASE_LOST' });
    faults.reconnect();
    now += 9_000;
    expect(await store.leases.acquire(NAME, 'second')).toBeNull();
    now += 2_000;
    const next = await store.leases.acquire(NAME, 'second');
    expect(next?.fence.revision).toBeGreaterThan(lease?.fence.revision ?? Number.NaN);
    await next?.release();
  });

  it('stay with their holder when a renewal was stored but never confirmed', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    // The first renewal lands, and every further try of it is lost until patience ends: its revision is never learned.
    faults.inject('leases', 'lost-reply', 'lost-request', 'lost-request', 'lost-request');
    await pass(8_000);
    await pass(6_000);
    await pass(8_000);
    await pass(8_000);
    expect(lease?.lost.aborted).toBe(false);
    expect(await store.leases.holder(NAME)).toBe('first');
    await lease?.release();
    expect(await store.leases.holder(NAME)).toBeNull();
  });

  it('are lost when the store is closed', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    await store.close();
    expect(lease?.lost.aborted).toBe(true);
  });

  it('do not touch the next holder`s when one that was lost is released', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    await store.leases.revoke(NAME, 'first');
    const next = await store.leases.acquire(NAME, 'second');
    await lease?.release();
    expect(await store.leases.holder(NAME)).toBe('second');
    await next?.release();
  });
});
