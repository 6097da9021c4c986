/** What a voided deploy made goes when it is closed, and what was released stays. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployId } from '../../builders/release.ts';
import { serviceSpec, volumeMount } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld } from '../../fakes/agent-world.ts';

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
});
afterEach(() => world.remove());

const db = serviceSpec({ name: 'db', ports: [], template: { mounts: [volumeMount('data')] } });
const data = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
const volumes = async () => (await world.volumes.list()).map((it) => it.volume);

/** A deploy that has its volume and its candidate, and has not ended. */
async function begun(deploy: string): Promise<void> {
  world.offer(db);
  expect(await world.ask({ verb: 'volume', volume: data }, { deploy })).toMatchObject({ state: 'done' });
  const order = { row: world.row(db, deploy), spec: db };
  expect(await world.ask({ verb: 'start', order }, { deploy })).toMatchObject({ state: 'done' });
}

it('a voided first deploy leaves neither its candidate nor its new volume', async () => {
  await begun(deployId(1));
  expect([world.engine.runningOf('db.0'), await volumes()]).toEqual([1, ['data']]);
  const n = await world.voidDeploy();
  expect(await world.ask({ verb: 'close', n })).toMatchObject({ state: 'done' });
  expect([world.engine.runningOf('db.0'), await volumes()]).toEqual([0, []]);
});

it('also when it is closed because the log says that it was voided, and nobody asks for it', async () => {
  await begun(deployId(1));
  await world.voidDeploy();
  await expect.poll(volumes, { timeout: 10_000 }).toEqual([]);
});

it('a volume that a release names stays when a later deploy is voided, and when its own is closed', async () => {
  await begun(deployId(1));
  const { n } = await world.commit([db], { volumes: [{ volume: 'data', machine: 'm1' }] });
  expect(await world.ask({ verb: 'close', n })).toMatchObject({ state: 'done' });
  const later = deployId(2);
  await begun(later);
  const voided = await world.voidDeploy(later);
  expect(await world.ask({ verb: 'close', n: voided }, { deploy: later })).toMatchObject({ state: 'done' });
  expect([world.engine.runningOf('db.0'), await volumes()]).toEqual([1, ['data']]);
});
