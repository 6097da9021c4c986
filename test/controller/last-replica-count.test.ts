/** How many replicas a stopped service had. */
import { expect, it } from 'vitest';
import { lastReplicaCount } from '../../controller/last-replica-count.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { systemClock } from '../../store/clock.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { release } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

async function countAfter(...history: readonly (readonly ServiceSpec[])[]): Promise<number> {
  const store = createMemoryStore({ clock: systemClock, log: silentLogger });
  for (const [index, specs] of history.entries()) {
    await store.specs.put(specs);
    await store.log.append(release(specs, { n: index + 1 }));
  }
  return await lastReplicaCount(store, 'production', 'web');
}

const web = (replicaCount: number) => serviceSpec({ placement: { replicaCount } });
const db = serviceSpec({ name: 'db' });

it('is the one of the last release in which it had a slot', async () => {
  expect(await countAfter([web(3)], [web(2), db], [web(0), db], [web(0)])).toBe(2);
});

it('is one when it never had any', async () => {
  expect(await countAfter([web(0)])).toBe(1);
  expect(await countAfter([db])).toBe(1);
});
