/** The store while its server is killed, cut off, replaced, full or absent. */
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../schemas/logger.ts';
import { systemClock } from '../../../store/clock.ts';
import { connectNats } from '../../../store/nats.ts';
import type { Entry, Store } from '../../../store/port.ts';
import { startTcpProxy } from '../../lab/tcp-proxy.ts';
import { voided } from './entries.ts';
import { eventually } from './eventually.ts';
import { type NatsStoreLab, SHORT, servers } from './technologies.ts';

const base = { name: 'test', clock: systemClock, log: silentLogger };

describe.each(servers)('an outage of $name', ({ open }) => {
  let lab: NatsStoreLab;
  let store: Store;
  const until: AbortController[] = [];
  beforeEach(async () => {
    lab = await open();
    store = await lab.connect();
  });
  afterEach(async () => {
    for (const it of until.splice(0)) it.abort();
    await lab?.stop();
  });

  function signal(): AbortSignal {
    const controller = new AbortController();
    until.push(controller);
    return controller.signal;
  }

  it('is waited out by reads and writes when it is short', async () => {
    await store.bucket('cursors').put(['k'], 1);
    await lab.nats.kill();
    const reading = store.bucket('cursors').get(['k']);
    const writing = store.bucket('cursors').put(['other'], 2);
    const appending = store.log.append(voided('production', 1));
    await sleep(500);
    await lab.nats.restart();
    expect(await reading).toMatchObject({ value: 1 });
    expect(await writing).toBeGreaterThan(0);
    expect(await appending).toEqual({ outcome: 'committed' });
  });

  it('is reported when it is long, and an append waits as long as its signal lets it', async () => {
    const impatient = await lab.connect({ ...SHORT, patienceMs: 500 });
    await lab.nats.kill();
    const code = { code: 'STATE_UNAVAILABLE' };
    await expect(impatient.bucket('cursors').get(['k'])).rejects.toMatchObject(code);
    await expect(impatient.bucket('cursors').put(['k'], 1)).rejects.toMatchObject(code);
    await expect(impatient.events.list(1)).rejects.toMatchObject(code);
    await expect(impatient.leases.acquire(['ns'], 'me')).rejects.toMatchObject(code);
    await expect(impatient.messages.request(['agent', 'm1'], null, 200)).rejects.toMatchObject(code);
    const start = performance.now();
    const appending = impatient.log.append(voided('production', 1), AbortSignal.timeout(1_500));
    await expect(appending).rejects.toMatchObject(code);
    expect(performance.now() - start).toBeGreaterThan(1_400);
    await lab.nats.restart();
    expect(await impatient.log.append(voided('production', 1))).toEqual({ outcome: 'committed' });
  });

  it('is told to those who want to know', async () => {
    const seen: boolean[] = [];
    store.onConnection((connected) => seen.push(connected), signal());
    await lab.nats.restart();
    await eventually(() => expect(seen).toEqual([true, false, true]));
  });

  it('does not end a watch: what changed meanwhile and afterwards is told', async () => {
    const other = await lab.connect();
    const seen: Entry[] = [];
    const tips: string[] = [];
    const events: string[] = [];
    await store.bucket('heads').watch((change) => seen.push(change), signal());
    await store.log.watch((namespace, n) => tips.push(`${namespace}@${n}`), signal());
    await store.events.follow((it) => events.push(it.message), signal());
    await lab.nats.restart();
    await other.bucket('heads').put(['during'], 1);
    await other.log.append(voided('production', 1));
    const at = '2026-01-01T00:00:00.000Z';
    const event = { at, kind: 'x.y', namespace: null, deploy: null, machine: null, actor: 'loop', message: 'after' };
    await other.events.publish(event);
    await eventually(() => {
      expect(seen).toMatchObject([{ key: ['during'], value: 1 }]);
      expect(tips).toEqual(['production@1']);
      expect(events).toEqual(['after']);
    });
    await lab.nats.restart();
    await other.bucket('heads').delete(['during']);
    await eventually(() => expect(seen.at(-1)).toMatchObject({ key: ['during'], value: null }));
  });

  it('does not end subscriptions and services', async () => {
    const other = await lab.connect();
    other.messages.serve(['agent', 'm1', 'step'], async () => 'done', signal());
    await lab.nats.restart();
    await eventually(async () => {
      expect(await store.messages.request(['agent', 'm1', 'step'], null, 500)).toBe('done');
    });
  });

  it('empties what lay in the server`s memory; that is told, and the bucket works again', async () => {
    const observed = store.bucket('observed');
    await observed.put(['m1'], 1);
    const seen: Entry[] = [];
    await observed.watch((change) => seen.push(change), signal());
    await lab.nats.restart();
    await observed.put(['m2'], 2);
    await eventually(async () => {
      expect(seen.at(-1)).toBeDefined();
      expect(seen).toContainEqual(expect.objectContaining({ key: ['m1'], value: null }));
      expect(seen).toContainEqual(expect.objectContaining({ key: ['m2'], value: 2 }));
    });
    expect((await observed.list()).map((it) => it.key)).toEqual([['m2']]);
  });

  it('swallows the end of a watch before a cut: it is found again', async () => {
    const proxy = await startTcpProxy(lab.nats.port);
    const behind = await connectNats({ ...base, url: `nats://127.0.0.1:${proxy.port}`, timing: SHORT });
    try {
      const seen: unknown[] = [];
      await behind.bucket('heads').watch((change) => seen.push(change.value), signal());
      await store.bucket('heads').put(['k'], 'before');
      await eventually(() => expect(seen).toEqual(['before']));
      proxy.swallow('to-client');
      for (const value of [1, 2, 3]) await store.bucket('heads').put(['k', String(value)], value);
      proxy.pass();
      proxy.cut();
      await eventually(() => expect(seen).toEqual(['before', 1, 2, 3]));
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('cannot hide a deleted consumer or a replaced stream from a watch', async () => {
    const raw = await connect({ servers: lab.nats.url });
    try {
      const manager = await jetstreamManager(raw);
      const seen: unknown[] = [];
      await store.bucket('heads').watch(({ key, value }) => seen.push([key[0], value]), signal());
      await store.bucket('heads').put(['a'], 1);
      for await (const consumer of manager.consumers.list('KV_heads')) {
        await manager.consumers.delete('KV_heads', consumer.name);
      }
      await store.bucket('heads').put(['b'], 2);
      await eventually(() => expect(seen).toContainEqual(['b', 2]));
      const { config } = await manager.streams.info('KV_heads');
      await manager.streams.delete('KV_heads');
      await manager.streams.add(config);
      await store.bucket('heads').put(['b'], 3);
      await eventually(() => {
        expect(seen).toContainEqual(['b', 3]);
        expect(seen).toContainEqual(['a', null]);
      });
    } finally {
      await raw.close();
    }
  });

  it('ends a lease at its holder before another can have it', async () => {
    const proxy = await startTcpProxy(lab.nats.port);
    const behind = await connectNats({ ...base, url: `nats://127.0.0.1:${proxy.port}`, timing: SHORT });
    try {
      const lease = await behind.leases.acquire(['ns'], 'cut off');
      proxy.swallow('to-server');
      proxy.swallow('to-client');
      let lostWhileHeld = false;
      lease?.lost.addEventListener('abort', () => {
        lostWhileHeld = true;
      });
      await eventually(async () => {
        const next = await store.leases.acquire(['ns'], 'next');
        expect(next).not.toBeNull();
        expect(next?.fence.revision).toBeGreaterThan(lease?.fence.revision ?? Number.NaN);
        expect(lostWhileHeld).toBe(true);
        await next?.release();
      });
    } finally {
      await behind.close();
      await proxy.close();
    }
  });

  it('lets fences grow also when every lease expired while the server was dead', async () => {
    const lease = await store.leases.acquire(['ns'], 'first');
    await lab.nats.kill();
    await sleep(2_000);
    await lab.nats.restart();
    expect(lease?.lost.aborted).toBe(true);
    const other = await lab.connect();
    await eventually(async () => {
      const next = await other.leases.acquire(['ns'], 'second');
      expect(next?.fence.revision).toBeGreaterThan(lease?.fence.revision ?? Number.NaN);
    });
  });

  it('at the start is waited for, for as long as was said', async () => {
    const { url } = lab.nats;
    await lab.nats.kill();
    const start = performance.now();
    await expect(connectNats({ ...base, url, timeoutMs: 700 })).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect(performance.now() - start).toBeLessThan(3_000);
    const aborted = connectNats({ ...base, url, signal: AbortSignal.timeout(300) });
    await expect(aborted).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
    const connecting = connectNats({ ...base, url });
    await sleep(500);
    await lab.nats.restart();
    const late = await connecting;
    expect(await late.log.tip('production')).toBe(0);
    await late.close();
  });

  it('whose streams are gone gets them, also when two versions that want them otherwise connect at once', async () => {
    const timings = [{}, { timing: SHORT }, {}, { timing: SHORT }];
    for (let round = 0; round < 5; round++) {
      const raw = await connect({ servers: lab.nats.url });
      const { streams } = await jetstreamManager(raw);
      for await (const it of streams.list()) await streams.delete(it.config.name);
      await raw.close();
      const stores = await Promise.all(timings.map((it) => connectNats({ ...base, ...it, url: lab.nats.url })));
      const tips = await Promise.all(stores.map((it) => it.log.tip('production')));
      expect(new Set(tips)).toEqual(new Set([0]));
      await Promise.all(stores.map((it) => it.close()));
    }
  });

  it('that lost the log alone is not taken for a new beginning', async () => {
    const raw = await connect({ servers: lab.nats.url });
    await (await jetstreamManager(raw)).streams.delete('LOG');
    await raw.close();
    await expect(connectNats({ ...base, url: lab.nats.url })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  });

  it('cannot take an entry out of the log', async () => {
    await store.log.append(voided('production', 1));
    const raw = await connect({ servers: lab.nats.url });
    const { streams } = await jetstreamManager(raw);
    await expect(streams.deleteMessage('LOG', 1)).rejects.toThrow('message delete not permitted');
    await expect(streams.purge('LOG')).rejects.toThrow('purge not permitted');
    await raw.close();
    expect(await store.log.read('production', 1)).toEqual(voided('production', 1));
  });
});
