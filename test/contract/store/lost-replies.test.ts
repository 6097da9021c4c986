/** Writes whose reply is lost: between us and the server lies a proxy that swallows it, or the server dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../schemas/logger.ts';
import { systemClock } from '../../../store/clock.ts';
import { connectNats } from '../../../store/nats.ts';
import type { Store } from '../../../store/port.ts';
import { startTcpProxy, type TcpProxy } from '../../lab/tcp-proxy.ts';
import { voided } from './entries.ts';
import { eventually } from './eventually.ts';
import { type NatsStoreLab, SHORT, servers } from './technologies.ts';

describe.each(servers)('a reply that is lost on the way from $name', ({ open }) => {
  let lab: NatsStoreLab;
  let proxy: TcpProxy;
  let direct: Store;
  let store: Store;
  beforeEach(async () => {
    lab = await open();
    proxy = await startTcpProxy(lab.nats.port);
    direct = await lab.connect();
    const url = `nats://127.0.0.1:${proxy.port}`;
    store = await connectNats({ url, name: 'behind a proxy', clock: systemClock, log: silentLogger, timing: SHORT });
  });
  afterEach(async () => {
    await store?.close();
    await proxy?.close();
    await lab?.stop();
  });

  /** Starts a write, waits until the server has it, then drops the connection that owes the reply. */
  async function withLostReply<T>(write: () => Promise<T>, arrived: () => Promise<void>): Promise<T> {
    proxy.swallow('to-client');
    const outcome = write();
    await eventually(arrived);
    proxy.pass();
    proxy.cut();
    const cutAt = performance.now();
    const result = await outcome;
    // A lost connection is known at once; waiting for the request to time out takes 2.5 s.
    expect(performance.now() - cutAt).toBeLessThan(2_000);
    return result;
  }

  it('leaves an append committed, exactly once', async () => {
    await store.log.append(voided('production', 1));
    proxy.swallowRepliesTo('log.production.2');
    const appending = store.log.append(voided('production', 2));
    await eventually(async () => expect(await direct.log.tip('production')).toBe(2));
    proxy.pass();
    proxy.cut();
    expect(await appending).toEqual({ outcome: 'committed' });
    expect(await direct.log.entries('production')).toEqual([voided('production', 1), voided('production', 2)]);
  });

  it('leaves an append lost whose request disappeared and whose number was taken', async () => {
    proxy.swallow('to-server');
    const appending = store.log.append(voided('production', 1));
    await eventually(() => expect(proxy.swallowed()).toBeGreaterThan(0));
    const winner = voided('production', 1, { reason: 'another executor' });
    await direct.log.append(winner);
    proxy.pass();
    proxy.cut();
    expect(await appending).toEqual({ outcome: 'lost', winner });
  });

  it('leaves a created and an updated entry ours, with the revision that the server gave', async () => {
    const mine = store.bucket('deploys');
    const theirs = direct.bucket('deploys');
    const created = await withLostReply(
      () => mine.create(['k'], 1),
      async () => expect(await theirs.get(['k'])).not.toBeNull(),
    );
    expect(await theirs.get(['k'])).toMatchObject({ value: 1, revision: created });
    const updated = await withLostReply(
      () => mine.update(['k'], 2, created),
      async () => expect(await theirs.get(['k'])).toMatchObject({ value: 2 }),
    );
    expect(await theirs.get(['k'])).toMatchObject({ value: 2, revision: updated });
    expect(updated).toBe(created + 1);
  });

  it('does not take another writer`s equal value for ours', async () => {
    const revision = await direct.bucket('deploys').create(['k'], 1);
    proxy.swallow('to-server');
    const updating = store.bucket('deploys').update(['k'], 2, revision);
    await eventually(() => expect(proxy.swallowed()).toBeGreaterThan(0));
    await direct.bucket('deploys').update(['k'], 2, revision);
    proxy.pass();
    proxy.cut();
    await expect(updating).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it('makes a put happen once, and never over what came after it', async () => {
    const theirs = direct.bucket('deploys');
    const first = await withLostReply(
      () => store.bucket('deploys').put(['k'], 'ours'),
      async () => expect(await theirs.get(['k'])).toMatchObject({ value: 'ours' }),
    );
    expect(await theirs.get(['k'])).toMatchObject({ value: 'ours', revision: first });
  });

  it('leaves a lease with its holder when a renewal`s reply was lost', async () => {
    const lease = await store.leases.acquire(['ns'], 'me');
    proxy.swallow('to-client');
    await sleep(500);
    proxy.pass();
    proxy.cut();
    await sleep(2_000);
    expect(lease?.lost.aborted).toBe(false);
    expect(await direct.leases.holder(['ns'])).toBe('me');
    await lease?.release();
    expect(await direct.leases.holder(['ns'])).toBeNull();
  });

  it('leaves every number committed exactly once while the server is killed again and again', async () => {
    let going = true;
    async function killing(): Promise<void> {
      while (going) {
        await sleep(120);
        await lab.nats.restart();
      }
    }
    const killer = killing();
    const writers = await Promise.all([lab.connect(), lab.connect()]);
    const won = await Promise.all(
      writers.map(async (writer, who) => {
        const mine: number[] = [];
        for (let n = 1; n <= 40; n++) {
          const { outcome } = await writer.log.append(voided('contended', n, { reason: `writer ${who}` }));
          if (outcome === 'committed') mine.push(n);
          await sleep(10);
        }
        return mine;
      }),
    );
    going = false;
    await killer;
    const entries = await direct.log.entries('contended');
    expect(entries.map((it) => it.n)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const entry of entries) {
      const winner = entry.kind === 'void' && entry.reason === 'writer 0' ? 0 : 1;
      expect(won[winner]).toContain(entry.n);
      expect(won[1 - winner]).not.toContain(entry.n);
    }
  });
});
