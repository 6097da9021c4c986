/** The store that may come late. */
import { expect, it } from 'vitest';
import { createLateStore } from '../../agent/late-store.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { release } from '../builders/release.ts';
import { eventually } from '../fakes/agent-world.ts';

it('fails at once until NATS answers, then connects who wanted to serve, watch and know', async () => {
  const real = createMemoryStore({ clock: { now: () => Date.now() }, log: silentLogger });
  await real.log.append(release());
  const life = new AbortController();
  let ready = false;
  const store = createLateStore({
    lifetime: life.signal,
    log: silentLogger,
    connect: async () => {
      if (!ready) throw new SlipwayError('STATE_UNAVAILABLE', 'not yet');
      return real;
    },
  });
  const states: boolean[] = [];
  const tips: string[] = [];
  store.onConnection((it) => states.push(it), life.signal);
  store.messages.serve(['agent', 'm1', 'ping'], async () => 'pong', life.signal);
  void store.log.watch((namespace, n) => void tips.push(`${namespace} ${n}`), life.signal);
  store.messages.publish(['heartbeat', 'm1'], {});
  await expect(store.log.tip('production')).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  await expect(store.bucket('observed').put(['m1'], {})).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });

  ready = true;
  await eventually(() => tips.length === 1);
  expect(states).toEqual([false, true]);
  expect(await store.log.tip('production')).toBe(1);
  expect(await real.messages.request(['agent', 'm1', 'ping'], {}, 500)).toBe('pong');
  life.abort();
});
