/** The door: who may ask for what. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployId } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, execReadiness } from '../../fakes/agent-world.ts';

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
});
afterEach(() => world.remove());

const web = serviceSpec({ readiness: execReadiness() });
const start = () => ({ verb: 'start' as const, order: { row: world.row(web), spec: web } });

it('refuses a step for another machine or installation, and does nothing', async () => {
  world.offer(web);
  expect(await world.send(start(), { machine: 'm2' })).toMatchObject({ state: 'refused', code: 'NOT_MINE' });
  expect(await world.send(start(), { installation: 'ffffffff' })).toMatchObject({ state: 'refused', code: 'NOT_MINE' });
  expect(world.engine.commands).toEqual([]);
});

it('refuses a dethroned executor, also after a restart', async () => {
  world.offer(web);
  const high = { fence: { generation: 1, revision: 9 }, id: 'a' };
  const low = { fence: { generation: 1, revision: 8 }, id: 'b' };
  expect(await world.ask({ verb: 'volume', volume: volume() }, high)).toMatchObject({ state: 'done' });
  expect(await world.send(start(), low)).toMatchObject({ state: 'refused', code: 'FENCED' });
  await world.shutdown();
  await world.boot();
  expect(await world.send(start(), low)).toMatchObject({ state: 'refused', code: 'FENCED' });
  expect(await world.send(start(), { ...low, fence: { generation: 2, revision: 1 } })).not.toMatchObject({
    state: 'refused',
  });
});

it('keeps fences of namespaces apart', async () => {
  const volumeStep = { verb: 'volume' as const, volume: volume() };
  await world.ask(volumeStep, { fence: { generation: 1, revision: 9 } });
  const other = await world.ask(volumeStep, { namespace: 'staging', fence: { generation: 1, revision: 1 } });
  expect(other).toMatchObject({ state: 'done' });
});

it('refuses late steps of a closed deploy, also after a restart, but still follows the log for it', async () => {
  const n = await world.deploy([web]);
  expect(await world.send(start())).toMatchObject({ state: 'refused', code: 'CLOSED' });
  await world.shutdown();
  await world.boot();
  expect(await world.send(start())).toMatchObject({ state: 'refused', code: 'CLOSED' });
  for (const verb of ['apply', 'retire', 'close'] as const) {
    expect(await world.ask({ verb, n })).toMatchObject({ state: 'done' });
  }
});

it('refuses to close a deploy that the log has not ended', async () => {
  world.offer(web);
  await world.ask(start());
  const { n } = await world.commit([web], { deploy: deployId(2) });
  expect(await world.ask({ verb: 'close', n })).toMatchObject({ state: 'failed' });
  expect(world.engine.runningOf('web.0')).toBe(1);
});

it('closes a deploy by itself when it reads in the log that somebody voided it', async () => {
  world.offer(web);
  await world.ask(start());
  await world.voidDeploy();
  await expect.poll(() => world.engine.states(), { timeout: 3000 }).toEqual({});
  expect(world.journal().view('production').open).toEqual({});
});

it('tries again what failed after the commit point when it is asked again', async () => {
  const n = await world.deploy([web]);
  world.failDrains(true);
  await world.commit([], { deploy: deployId(2) });
  expect(await world.ask({ verb: 'retire', n }, { id: 'again' })).toMatchObject({ state: 'failed' });
  world.failDrains(false);
  expect(await world.ask({ verb: 'retire', n }, { id: 'again' })).toMatchObject({ state: 'done' });
});

function volume() {
  return { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
}
