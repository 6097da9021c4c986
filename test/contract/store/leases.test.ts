/** Leases, over every technology. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { Store } from '../../../store/port.ts';
import { eventually } from './eventually.ts';
import { SHORT, type StoreLab, technologies } from './technologies.ts';

const NAME = ['namespace', 'production'];

describe.each(technologies)('leases in $name', ({ name, open }) => {
  let lab: StoreLab;
  let store: Store;
  let other: Store;
  beforeEach(async () => {
    lab = await open();
    store = await lab.connect();
    other = await lab.connect();
  });
  afterEach(async () => await lab?.stop());

  it('has one holder, and another with a higher fence after its release', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    expect(lease?.fence.generation).toBe(1);
    expect(await other.leases.acquire(NAME, 'second')).toBeNull();
    expect(await other.leases.holder(NAME)).toBe('first');
    await lease?.release();
    expect(lease?.lost.aborted).toBe(false);
    expect(await other.leases.holder(NAME)).toBeNull();
    const next = await other.leases.acquire(NAME, 'second');
    expect(next?.fence.revision).toBeGreaterThan(lease?.fence.revision ?? Number.NaN);
    await next?.release();
  });

  it('has one winner among twenty who want it at once', async () => {
    const wanted = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store : other).leases.acquire(NAME, `${i}`));
    const got = (await Promise.all(wanted)).filter((it) => it !== null);
    expect(got).toHaveLength(1);
    await got[0]?.release();
  });

  it('is kept far beyond its time to live', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    await sleep((SHORT.leaseTtlMs ?? 0) * 2);
    expect(lease?.lost.aborted).toBe(false);
    expect(await other.leases.acquire(NAME, 'second')).toBeNull();
    await lease?.release();
  });

  it('is open to others soon after a revocation, and its holder learns that it is lost', async () => {
    const lease = await store.leases.acquire(NAME, 'first');
    expect(await other.leases.revoke(NAME, 'somebody else')).toBe(false);
    expect(await other.leases.revoke(NAME, 'first')).toBe(true);
    expect(await other.leases.revoke(NAME, 'first')).toBe(false);
    const next = await other.leases.acquire(NAME, 'second');
    expect(next?.fence.revision).toBeGreaterThan(lease?.fence.revision ?? Number.NaN);
    await eventually(() => expect(lease?.lost.aborted).toBe(true));
    expect(isSlipwayError(lease?.lost.reason, 'LEASE_LOST')).toBe(true);
    await lease?.release();
    expect(await store.leases.holder(NAME)).toBe('second');
    await next?.release();
  });

  it.skipIf(name === 'memory')('expires when its holder dies, and fences grow over every expiry', async () => {
    let before = 0;
    for (const owner of ['first', 'second', 'third']) {
      const dying = await lab.connect();
      const lease = await dying.leases.acquire(NAME, owner);
      expect(lease?.fence.revision).toBeGreaterThan(before);
      before = lease?.fence.revision ?? Number.NaN;
      await dying.close();
      expect(lease?.lost.aborted).toBe(true);
      expect(await other.leases.holder(NAME)).toBe(owner);
      await eventually(async () => expect(await other.leases.holder(NAME)).toBeNull());
    }
  });
});
