/** Requests, messages and events, over every technology. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlipwayEvent } from '../../../schemas/event.ts';
import type { Store } from '../../../store/port.ts';
import { eventually } from './eventually.ts';
import { type StoreLab, technologies } from './technologies.ts';

function event(message: string): SlipwayEvent {
  const at = '2026-01-01T00:00:00.000Z';
  return { at, kind: 'deploy.started', namespace: 'production', deploy: null, machine: null, actor: 'loop', message };
}

describe.each(technologies)('messages and events in $name', ({ open }) => {
  let lab: StoreLab;
  let store: Store;
  let other: Store;
  const until = new AbortController();
  beforeAll(async () => {
    lab = await open();
    store = await lab.connect();
    other = await lab.connect();
  });
  afterAll(async () => {
    until.abort();
    await lab?.stop();
  });

  it('brings a request to who serves it and the answer back', async () => {
    other.messages.serve(['agent', 'm1', 'step'], async (payload) => ({ got: payload }), until.signal);
    await eventually(async () => {
      expect(await store.messages.request(['agent', 'm1', 'step'], { a: 1 }, 1000)).toEqual({ got: { a: 1 } });
    });
  });

  it('says at once that nobody serves', async () => {
    const start = performance.now();
    const asked = store.messages.request(['agent', 'nobody', 'step'], null, 10_000);
    await expect(asked).rejects.toMatchObject({ code: 'MACHINE_UNREACHABLE' });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('says after the time-out that nobody answered, also when the handler threw', async () => {
    other.messages.serve(
      ['agent', 'slow', 'step'],
      async () => await sleep(60_000, null, { ref: false }),
      until.signal,
    );
    other.messages.serve(
      ['agent', 'broken', 'step'],
      async () => await Promise.reject(new Error('a bug')),
      until.signal,
    );
    await sleep(50);
    for (const machine of ['slow', 'broken']) {
      const asked = store.messages.request(['agent', machine, 'step'], null, 200);
      await expect(asked).rejects.toMatchObject({ code: 'MACHINE_UNREACHABLE' });
    }
  });

  it('serves until the signal aborts', async () => {
    const serving = new AbortController();
    other.messages.serve(['agent', 'leaving', 'step'], async () => 'here', serving.signal);
    await eventually(async () => {
      expect(await store.messages.request(['agent', 'leaving', 'step'], null, 500)).toBe('here');
    });
    serving.abort();
    await eventually(async () => {
      const asked = store.messages.request(['agent', 'leaving', 'step'], null, 500);
      await expect(asked).rejects.toMatchObject({ code: 'MACHINE_UNREACHABLE' });
    });
  });

  it('brings a message to all who subscribed, `*` being one name whatever is in it', async () => {
    const seen: [unknown, readonly string[]][] = [];
    other.messages.subscribe(['beat', '*'], (payload, subject) => seen.push([payload, subject]), until.signal);
    await sleep(50);
    store.messages.publish(['beat', 'machine.with dots'], 1);
    store.messages.publish(['beat', 'm1', 'too deep'], 2);
    store.messages.publish(['other', 'm1'], 3);
    store.messages.publish(['beat', 'm2'], 4);
    await eventually(() => {
      expect(seen).toEqual([
        [1, ['beat', 'machine.with dots']],
        [4, ['beat', 'm2']],
      ]);
    });
  });

  it('cannot be used to write into the log', async () => {
    expect(() => store.messages.publish(['log', 'production', '1'], {})).toThrow('log');
    await expect(store.messages.request(['log', 'production', '1'], {}, 100)).rejects.toThrow('log');
    expect(await store.log.tip('production')).toBe(0);
  });

  it('lists the last events, oldest first, and tells followers of new ones', async () => {
    for (const message of ['one', 'two', 'three']) await store.events.publish(event(message));
    expect((await other.events.list(2)).map((it) => it.message)).toEqual(['two', 'three']);
    expect((await other.events.list(100)).map((it) => it.message)).toEqual(['one', 'two', 'three']);
    const seen: string[] = [];
    const following = new AbortController();
    await other.events.follow((it) => seen.push(it.message), following.signal);
    await store.events.publish(event('four'));
    await store.events.publish(event('five'));
    await eventually(() => expect(seen).toEqual(['four', 'five']));
    following.abort();
  });

  it('says that it is connected', () => {
    const seen: boolean[] = [];
    store.onConnection((connected) => seen.push(connected), until.signal);
    expect(seen).toEqual([true]);
  });
});
