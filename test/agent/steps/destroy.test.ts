/** destroy: data goes only when neither the log nor any container has the volume. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployId } from '../../builders/release.ts';
import { serviceSpec, volumeMount } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, execReadiness } from '../../fakes/agent-world.ts';

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
});
afterEach(() => world.remove());

const db = serviceSpec({ name: 'db', readiness: execReadiness(), template: { mounts: [volumeMount('data')] } });
const destroy = (n: number) => world.ask({ verb: 'destroy', volume: 'data', n }, { deploy: deployId(9), id: `${n}` });

const volumes = async () => (await world.volumes.list()).map((it) => it.volume);

async function deployDb(): Promise<number> {
  const volume = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
  await world.ask({ verb: 'volume', volume });
  return await world.deploy([db]);
}

it('leaves the data alone while the live release names the volume', async () => {
  await deployDb();
  const { n } = await world.commit([], { deploy: deployId(2), volumes: [{ volume: 'data', machine: 'm1' }] });
  await world.ask({ verb: 'retire', n }, { deploy: deployId(2) });
  expect(await destroy(n)).toMatchObject({
    state: 'failed',
    code: 'VOLUME_IN_USE',
    message: `release #${n} names volume production/data; its data is left alone`,
  });
  expect(await volumes()).toEqual(['data']);
});

it('leaves the data alone while a container has the volume, whatever the log says', async () => {
  const n = await deployDb();
  expect(await destroy(n)).toMatchObject({
    state: 'failed',
    code: 'VOLUME_IN_USE',
    message: expect.stringContaining('still has volume production/data'),
  });
  expect(await volumes()).toEqual(['data']);
});

it('removes the volume when nothing has it, once and again', async () => {
  await deployDb();
  const { n } = await world.commit([], { deploy: deployId(2) });
  expect(await destroy(n)).toMatchObject({ state: 'failed' });
  await world.ask({ verb: 'retire', n }, { deploy: deployId(2) });
  expect(await destroy(n)).toMatchObject({ state: 'done' });
  expect(await volumes()).toEqual([]);
  expect(await destroy(n)).toMatchObject({ state: 'done' });
});

it('believes no entry that the log does not have', async () => {
  const n = await deployDb();
  expect(await destroy(n + 1)).toMatchObject({ state: 'failed', code: 'STATE_UNAVAILABLE' });
  expect(await volumes()).toEqual(['data']);
});
