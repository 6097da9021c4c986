/** The hold around a deploy by hand. */
import { beforeEach, expect, it } from 'vitest';
import { byHand } from '../../controller/by-hand.ts';
import { createNamespaces, type Namespaces } from '../../controller/namespaces.ts';
import type { NamespaceRecord } from '../../schemas/deploy.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { systemClock } from '../../store/clock.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';
import { planOf } from '../builders/plan.ts';
import { release } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

const plan = planOf({ services: [serviceSpec()] });
const earlier = { by: 'ada', why: 'earlier', at: '2026-01-01T00:00:00.000Z', desiredDigest: null };
let store: Store;
let namespaces: Namespaces;

const hold = async (namespace: string, why: string) => {
  const held = { by: 'bob', why, at: '2026-01-02T00:00:00.000Z', desiredDigest: null };
  let before: NamespaceRecord['held'] = null;
  await namespaces.change(namespace, (it) => {
    before = it.held;
    return { ...it, held };
  });
  return { before, held };
};
const whyHeld = async () => (await namespaces.get('production')).held?.why ?? null;
const work = (doing: () => Promise<unknown>) =>
  byHand({ store, namespaces, hold }, { plan, why: 'by hand' }, doing).catch(() => undefined);
const commit = async (planId: string) => await store.log.append(release([serviceSpec()], { n: 1, planId }));

beforeEach(() => {
  store = createMemoryStore({ clock: systemClock, log: silentLogger });
  namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
});

it('is there before anything happens, and stays when the plan went live', async () => {
  let during: string | null = null;
  await work(async () => {
    during = await whyHeld();
    await commit(plan.id);
  });
  expect([during, await whyHeld()]).toEqual(['by hand', 'by hand']);
});

it.each([
  ['failed', async () => 1],
  ['threw', () => Promise.reject(new Error('no'))],
  ['lost against another deploy', () => commit('f'.repeat(64))],
])('is what it was before when the work %s', async (_, doing) => {
  await work(doing);
  expect(await whyHeld()).toBeNull();
  await namespaces.change('production', (it) => ({ ...it, held: earlier }));
  await work(async () => 1);
  expect(await whyHeld()).toBe('earlier');
});

it('stays when somebody else said something meanwhile', async () => {
  await work(async () => {
    await namespaces.change('production', (it) => ({ ...it, held: { ...earlier, why: 'meanwhile' } }));
  });
  expect(await whyHeld()).toBe('meanwhile');
});

it('of two at once, the one that went live stays held when the other had nothing to do there', async () => {
  const losing = { ...plan, id: 'e'.repeat(64) };
  let lose = () => {};
  const over = new Promise<void>((resolve) => {
    lose = resolve;
  });
  await work(async () => {
    const other = byHand({ store, namespaces, hold }, { plan: losing, why: 'the other' }, () => over);
    await expect.poll(whyHeld).toBe('the other');
    await commit(plan.id);
    lose();
    await other;
  });
  expect(await whyHeld()).toBe('by hand');
});
