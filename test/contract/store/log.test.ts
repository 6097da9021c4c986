/** The log, over every technology. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../store/port.ts';
import { deployId, release } from '../../builders/release.ts';
import { voided } from './entries.ts';
import { eventually } from './eventually.ts';
import { type StoreLab, technologies } from './technologies.ts';

describe.each(technologies)('the log in $name', ({ open }) => {
  let lab: StoreLab;
  let store: Store;
  let other: Store;
  beforeAll(async () => {
    lab = await open();
    store = await lab.connect();
    other = await lab.connect();
  });
  afterAll(async () => await lab?.stop());

  it('gives back what was appended, in order', async () => {
    const entries = [voided('order', 1), { ...release(), namespace: 'order', n: 2 }, voided('order', 3)];
    for (const entry of entries) expect(await store.log.append(entry)).toEqual({ outcome: 'committed' });
    expect(await other.log.tip('order')).toBe(3);
    expect(await other.log.entries('order')).toEqual(entries);
    expect(await other.log.entries('order', { from: 2, to: 2 })).toEqual([entries[1]]);
    expect(await other.log.read('order', 2)).toEqual(entries[1]);
  });

  it('has one winner among fifty parallel appenders of one number, and tells the others who', async () => {
    const contenders = Array.from({ length: 50 }, (_, i) => voided('race', 1, { reason: `contender ${i}` }));
    const outcomes = await Promise.all(contenders.map((it, i) => (i % 2 === 0 ? store : other).log.append(it)));
    const winners = contenders.filter((_, i) => outcomes[i]?.outcome === 'committed');
    expect(winners).toHaveLength(1);
    const losers = outcomes.filter((it) => it.outcome === 'lost');
    expect(losers).toHaveLength(49);
    for (const loser of losers) expect(loser).toEqual({ outcome: 'lost', winner: winners[0] });
    expect(await store.log.tip('race')).toBe(1);
  });

  it('takes the same entry twice as one', async () => {
    expect(await store.log.append(voided('twice', 1))).toEqual({ outcome: 'committed' });
    expect(await other.log.append(voided('twice', 1))).toEqual({ outcome: 'committed' });
    expect(await store.log.tip('twice')).toBe(1);
  });

  it('does not take a similar entry of the same deploy for ours', async () => {
    await store.log.append(voided('similar', 1));
    const outcome = await store.log.append(voided('similar', 1, { reason: 'another reason' }));
    expect(outcome).toEqual({ outcome: 'lost', winner: voided('similar', 1) });
  });

  it('refuses to leave a gap', async () => {
    await expect(store.log.append(voided('gap', 2))).rejects.toThrow('gap');
    expect(await store.log.read('gap', 2)).toBeNull();
  });

  it('says that nothing is there where nothing is', async () => {
    expect(await store.log.tip('nothing')).toBe(0);
    expect(await store.log.entries('nothing')).toEqual([]);
    expect(await store.log.read('nothing', 1)).toBeNull();
    expect(await store.log.live('nothing')).toBeNull();
  });

  it('calls the highest release live, whatever was voided after it, until the namespace is removed', async () => {
    const second = { ...release(), namespace: 'live', n: 2, deploy: deployId(2) };
    await store.log.append({ ...release(), namespace: 'live', n: 1, deploy: deployId(1) });
    await store.log.append(second);
    await store.log.append(voided('live', 3));
    expect(await other.log.live('live')).toEqual(second);
    const removed = { namespace: 'live', n: 4, at: second.at, actor: 'loop', deploy: deployId(4), volumes: [] };
    await store.log.append({ ...removed, kind: 'removed', planId: '0'.repeat(64) });
    expect(await other.log.live('live')).toBeNull();
    const back = { ...release(), namespace: 'live', n: 5, deploy: deployId(5) };
    await store.log.append(back);
    expect(await other.log.live('live')).toEqual(back);
  });

  it('keeps a record of nearly 900 KiB and refuses a larger one by name', async () => {
    const large = voided('large', 1, { reason: randomBytes(670_000).toString('base64') });
    expect(await store.log.append(large)).toEqual({ outcome: 'committed' });
    expect(await other.log.read('large', 1)).toEqual(large);
    const tooLarge = voided('large', 2, { reason: randomBytes(1_000_000).toString('base64') });
    await expect(store.log.append(tooLarge)).rejects.toMatchObject({ code: 'RELEASE_TOO_LARGE' });
    expect(await store.log.tip('large')).toBe(1);
  });

  it('lists the namespaces in order and keeps names apart that look alike', async () => {
    for (const namespace of ['a-1', 'a', 'a_1']) await store.log.append(voided(namespace, 1));
    const names = await other.log.namespaces();
    expect(names.filter((it) => it.startsWith('a'))).toEqual(['a', 'a-1', 'a_1']);
    expect(names).toEqual(names.toSorted());
  });

  it('tells a watcher the present tips, then every new one', async () => {
    await store.log.append(voided('watched', 1));
    await store.log.append(voided('watched', 2));
    const seen: [string, number][] = [];
    const watching = new AbortController();
    await other.log.watch((namespace, n) => seen.push([namespace, n]), watching.signal);
    expect(seen).toContainEqual(['watched', 2]);
    await store.log.append(voided('watched', 3));
    await store.log.append(voided('watched-new', 1));
    await eventually(() => {
      expect(seen).toContainEqual(['watched', 3]);
      expect(seen).toContainEqual(['watched-new', 1]);
    });
    watching.abort();
    await store.log.append(voided('watched', 4));
    expect(seen).not.toContainEqual(['watched', 4]);
  });
});
