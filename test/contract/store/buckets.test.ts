/** Buckets and specs, over every technology. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../../schemas/canonical.ts';
import type { Bucket, Entry, Store } from '../../../store/port.ts';
import { eventually } from './eventually.ts';
import { type StoreLab, technologies } from './technologies.ts';

describe.each(technologies)('buckets in $name', ({ open }) => {
  let lab: StoreLab;
  let store: Store;
  let ours: Bucket;
  let theirs: Bucket;
  beforeAll(async () => {
    lab = await open();
    store = await lab.connect();
    ours = store.bucket('deploys');
    theirs = (await lab.connect()).bucket('deploys');
  });
  afterAll(async () => await lab?.stop());

  it('gives what was put, with the revision to update it by', async () => {
    const revision = await ours.put(['put', 'one'], { a: [1, null, 'ü'] });
    expect(await theirs.get(['put', 'one'])).toEqual({ key: ['put', 'one'], value: { a: [1, null, 'ü'] }, revision });
    const next = await theirs.update(['put', 'one'], 2, revision);
    expect(next).toBeGreaterThan(revision);
    expect(await ours.get(['put', 'one'])).toMatchObject({ value: 2, revision: next });
  });

  it('refuses to create what exists and to update what moved', async () => {
    const first = await ours.create(['cas'], 1);
    await expect(theirs.create(['cas'], 2)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await ours.update(['cas'], 3, first);
    await expect(theirs.update(['cas'], 4, first)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    expect(await theirs.get(['cas'])).toMatchObject({ value: 3 });
  });

  it('creates over a deletion, with a higher revision', async () => {
    const first = await ours.create(['again'], 1);
    await ours.delete(['again']);
    expect(await theirs.get(['again'])).toBeNull();
    expect(await theirs.create(['again'], 2)).toBeGreaterThan(first);
    await expect(ours.create(['again'], 3)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it('lets one of fifty updates of a revision through', async () => {
    const revision = await ours.create(['contended'], 0);
    const tries = Array.from({ length: 50 }, (_, i) =>
      (i % 2 === 0 ? ours : theirs).update(['contended'], i, revision),
    );
    const results = await Promise.allSettled(tries);
    expect(results.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
  });

  it('deletes what is not there without complaint', async () => {
    await ours.delete(['never', 'was']);
    expect(await ours.get(['never', 'was'])).toBeNull();
  });

  it('lists by prefix of names, not of letters, in order, without what was deleted', async () => {
    for (const key of [['ns', 'b'], ['ns', 'a'], ['ns'], ['nsx', 'a'], ['ns', 'gone'], ['ns', 'a', 'deep']]) {
      await ours.put(key, key.join('/'));
    }
    await ours.delete(['ns', 'gone']);
    expect((await theirs.list(['ns'])).map((it) => it.value)).toEqual(['ns', 'ns/a', 'ns/a/deep', 'ns/b']);
  });

  it('keeps keys apart whatever is in their names', async () => {
    const keys = [
      ['x', 'y.z'],
      ['x', 'y', 'z'],
      ['x.y', 'z'],
      ['x', '*'],
      ['x', '>'],
      ['x', 'ä ö'],
      ['x', '='],
    ];
    for (const key of keys) await ours.put(key, key);
    for (const key of keys) expect(await theirs.get(key)).toMatchObject({ key, value: key });
  });

  it('keeps a large value', async () => {
    const value = { text: randomBytes(400_000).toString('base64') };
    await ours.put(['large'], value);
    expect(await theirs.get(['large'])).toMatchObject({ value });
  });

  it('tells a watcher what is present, then every change, large values and small ones in their order', async () => {
    const present = await ours.put(['watch', 'present'], 'here');
    const seen: Entry[] = [];
    const watching = new AbortController();
    const note = (change: Entry) => {
      if (change.key[0] === 'watch') seen.push(change);
    };
    await theirs.watch(note, watching.signal);
    expect(seen).toEqual([{ key: ['watch', 'present'], value: 'here', revision: present }]);
    await ours.put(['watch', 'new'], 'x'.repeat(200_000));
    await ours.put(['watch', 'new'], 'small');
    await ours.delete(['watch', 'present']);
    await eventually(() => expect(seen.at(-1)).toMatchObject({ key: ['watch', 'present'], value: null }));
    expect(seen.filter((it) => it.key[1] === 'new').at(-1)).toMatchObject({ value: 'small' });
    watching.abort();
    await ours.put(['watch', 'late'], 1);
    await sleep(50);
    expect(seen.map((it) => it.key[1])).not.toContain('late');
  });

  it('goes on watching when a callback throws', async () => {
    const seen: unknown[] = [];
    const watching = new AbortController();
    const note = (change: Entry) => {
      if (change.key[0] !== 'throwing') return;
      seen.push(change.value);
      if (change.value === 1) throw new Error('a bug of the watcher');
    };
    await theirs.watch(note, watching.signal);
    await ours.put(['throwing'], 1);
    await ours.put(['throwing'], 2);
    await eventually(() => expect(seen).toEqual([1, 2]));
    watching.abort();
  });

  it('says that an observation expired', async () => {
    const observed = store.bucket('observed');
    const seen: Entry[] = [];
    const watching = new AbortController();
    await observed.watch((change) => seen.push(change), watching.signal);
    await observed.put(['m1'], 'snapshot');
    await eventually(() => expect(seen.map((it) => it.value)).toEqual(['snapshot', null]), 8_000);
    expect(await observed.get(['m1'])).toBeNull();
    watching.abort();
  });

  it('does not let an observation expire that is renewed', async () => {
    const observed = store.bucket('observed');
    const seen: unknown[] = [];
    const watching = new AbortController();
    await observed.watch((change) => seen.push(change.value), watching.signal);
    for (let i = 0; i < 8; i++) {
      await observed.put(['m2'], i);
      await sleep(300);
    }
    expect(seen).not.toContain(null);
    expect(await observed.get(['m2'])).toMatchObject({ value: 7 });
    watching.abort();
  });

  it('has the generation 1 to begin with, and the one of the cluster record later', async () => {
    expect(await store.generation()).toBe(1);
    const record = await store.bucket('cluster').get(['record']);
    expect(record).toMatchObject({ value: { installation: null, generation: 1 } });
    await store.bucket('cluster').update(['record'], { installation: null, generation: 5 }, record?.revision ?? 0);
    expect(await store.generation()).toBe(5);
  });

  it('stores specs once under the digest of their content', async () => {
    const values = [{ b: 1, a: 2 }, { a: 2, b: 1 }, { a: 3 }, 'x'.repeat(100_000)];
    const digests = await store.specs.put(values);
    expect(digests).toEqual(values.map(digestOf));
    expect(digests[0]).toBe(digests[1]);
    expect(await store.specs.put([values[2]])).toEqual([digests[2]]);
    expect(await store.specs.get(digests[0] ?? '')).toEqual({ a: 2, b: 1 });
    expect(await store.specs.get(digests[3] ?? '')).toBe(values[3]);
    await expect(store.specs.get('f'.repeat(64))).rejects.toThrow('no spec');
  });
});
