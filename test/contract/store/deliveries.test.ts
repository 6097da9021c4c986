/** Deliveries over every technology: stored once, handed over at least once, never lost and never in each other's way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { Store } from '../../../store/port.ts';
import { eventually } from './eventually.ts';
import { type StoreLab, servers, technologies } from './technologies.ts';

const FAST = { deliveryAckMs: 100, watchCheckMs: 300 };

describe.each(technologies)('deliveries in $name', ({ open }) => {
  let lab: StoreLab;
  let store: Store;
  let until: AbortController;
  beforeEach(async () => {
    lab = await open();
    store = await lab.connect(FAST);
    until = new AbortController();
  });
  afterEach(async () => {
    until.abort();
    await lab?.stop();
  });

  const put = async (id: string, twin = id, value: unknown = id) => await store.deliveries.put({ id, twin, value });

  it('are stored once for each id and for each twin, whoever asks at the same time', async () => {
    expect(await put('d-1', 'push main 1')).toBe('stored');
    expect(await put('d-1', 'push main 1')).toBe('seen');
    expect(await put('d-2', 'push main 1')).toBe('seen');
    expect(await put('d-1', 'push main 2')).toBe('seen');
    expect(await put('d-3', 'push main 2')).toBe('stored');
    const many = await Promise.all(Array.from({ length: 20 }, (_, i) => put(`many-${i}`, 'one twin.* with > dots')));
    expect(many.filter((it) => it === 'stored')).toHaveLength(1);
  });

  it('are handed over whole, the ones from before too, and are seen still when they were handled', async () => {
    const values = [{ number: 7, text: 'é\u202E' }, 'b', 3];
    for (const [i, value] of values.entries()) await put(`d-${i}`, `t-${i}`, value);
    const got: unknown[] = [];
    const ended = store.deliveries.consume(async (value) => void got.push(value), until.signal);
    await eventually(() => expect(got).toEqual(values));
    await put('later');
    await eventually(() => expect(got).toHaveLength(4));
    expect(await put('d-9', 't-0')).toBe('seen');
    await sleep(FAST.deliveryAckMs * 3);
    expect(got).toHaveLength(4);
    until.abort();
    await ended;
  });

  it('come again when the handler fails; one that always fails is dropped with an event, but never for an outage', async () => {
    const tries = new Map<unknown, number>();
    const done: string[] = [];
    let over = false;
    void store.deliveries.consume(async (value) => {
      const n = (tries.get(value) ?? 0) + 1;
      tries.set(value, n);
      if (value === 'poison') throw new Error('a bug');
      if (value === 'weak' && n < 3) throw new Error('not yet');
      if (value === 'patient' && !over) throw new SlipwayError('FORGE_UNAVAILABLE', 'the forge does not answer');
      done.push(String(value));
    }, until.signal);
    for (const value of ['poison', 'patient', 'weak', 'fine']) await put(value);
    await eventually(() => expect(new Set(done)).toEqual(new Set(['fine', 'weak'])));
    await eventually(() => expect(tries.get('patient')).toBeGreaterThan(8), 20_000);
    over = true;
    await eventually(() => expect(done).toContain('patient'));
    await sleep(FAST.deliveryAckMs * 2);
    expect(tries.get('poison')).toBe(8);
    expect(done).toHaveLength(3);
    const dropped = (await store.events.list(10)).filter((it) => it.kind === 'delivery.dropped');
    expect(dropped.map((it) => it.message)).toEqual(['a delivery failed 8 times and was dropped: a bug']);
  });

  it('go on being worked at for longer than their time as long as somebody is there', async () => {
    let begun = 0;
    let ended = 0;
    void store.deliveries.consume(async () => {
      begun += 1;
      await sleep(FAST.deliveryAckMs * 5);
      ended += 1;
    }, until.signal);
    await put('long');
    await eventually(() => expect(ended).toBe(1));
    await sleep(FAST.deliveryAckMs * 2);
    expect(begun).toBe(1);
  });

  it('are handed to the next when the one who had them stops, at most 256 at a time', async () => {
    const first = new AbortController();
    let held = 0;
    const stuck = store.deliveries.consume(async () => {
      held += 1;
      await new Promise(() => undefined);
    }, first.signal);
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(`d-${i}`)));
    await eventually(() => expect(held).toBe(256));
    await sleep(FAST.deliveryAckMs * 2);
    expect(held).toBe(256);
    first.abort();
    await stuck;
    const got = new Set<unknown>();
    void store.deliveries.consume(async (value) => void got.add(value), until.signal);
    await eventually(() => expect(got.size).toBe(300));
  });
});

describe.each(servers)('deliveries in $name while it or the reader dies', ({ open }) => {
  it('come again to another process, and none is lost', async () => {
    const lab = await open();
    const until = new AbortController();
    try {
      const writer = await lab.connect(FAST);
      const dying = await lab.connect(FAST);
      let taken = 0;
      void dying.deliveries.consume(async () => {
        taken += 1;
        await new Promise(() => undefined);
      }, until.signal);
      for (let i = 0; i < 20; i++) await writer.deliveries.put({ id: `d-${i}`, twin: `t-${i}`, value: i });
      await eventually(() => expect(taken).toBe(20));
      // As a crash leaves it: nothing is given back.
      await dying.close();
      const got = new Set<unknown>();
      void writer.deliveries.consume(async (value) => void got.add(value), until.signal);
      await eventually(() => expect(got.size).toBe(20));
      const writing = (async () => {
        for (let i = 20; i < 60; i++) await writer.deliveries.put({ id: `d-${i}`, twin: `t-${i}`, value: i });
      })();
      await lab.nats.restart();
      await sleep(100);
      await lab.nats.restart();
      await writing;
      await eventually(() => expect(got.size).toBe(60), 10_000);
    } finally {
      until.abort();
      await lab.stop();
    }
  });

  it('are refused, not taken, while nothing can be stored', async () => {
    const lab = await open();
    try {
      const store = await lab.connect({ ...FAST, patienceMs: 300 });
      await lab.nats.kill();
      const putting = store.deliveries.put({ id: 'd', twin: 't', value: 1 });
      await expect(putting).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
      await lab.nats.restart();
      await eventually(async () => {
        expect(await store.deliveries.put({ id: 'd', twin: 't', value: 1 })).toBe('stored');
      });
    } finally {
      await lab.stop();
    }
  });
});
