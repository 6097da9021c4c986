/** Healing: whatever somebody does to a released instance, it comes back, once. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { serviceSpec } from '../builders/service.ts';
import { type AgentWorld, createAgentWorld, eventually, execReadiness } from '../fakes/agent-world.ts';

const REF = `registry.example/web@sha256:${'a'.repeat(64)}`;
const web = serviceSpec({
  readiness: execReadiness(),
  placement: { replicaCount: 2 },
  routes: [{ kind: 'http', hostname: 'web.test', pathPrefix: '/', port: 8080 }],
});
const endpoints = () => world.table().backends.flatMap((it) => it.endpoints).length;
const states = () => Object.values(world.engine.states()).toSorted();

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
  await world.deploy([web]);
});
afterEach(() => world.remove());

it.each(['stop', 'kill', 'remove', 'pause', 'rename'] as const)('heals %s within a second', async (what) => {
  const before = Object.keys(world.engine.states()).toSorted();
  world.engine.meddle('web.0', what);
  await eventually(
    () =>
      JSON.stringify(Object.keys(world.engine.states()).toSorted()) === JSON.stringify(before) &&
      states().every((it) => it === 'running'),
    1000,
  );
  await eventually(() => endpoints() === 2);
  expect(world.engine.runningOf('web.0')).toBe(1);
});

it('makes a container again that the engine cannot start any more', { timeout: 10_000 }, async () => {
  const before = Object.keys(world.engine.states()).toSorted();
  world.engine.meddle('web.0', 'lose');
  await eventually(() => states().length === 2 && states().every((it) => it === 'running'), 8_000);
  expect(Object.keys(world.engine.states()).toSorted()).toEqual(before);
  expect(world.engine.runningOf('web.0')).toBe(1);
});

it('takes an instance out of routing while its probe fails, and back at the first success', async () => {
  let exit = 0;
  world.engine.programs.set(REF, { probe: () => exit });
  exit = 1;
  await eventually(() => endpoints() === 0);
  exit = 0;
  await eventually(() => endpoints() === 2);
  expect(world.engine.commands.filter((it) => it.startsWith('stop'))).toEqual([]);
});

it('spaces out attempts on an instance that ends again and again', async () => {
  world.engine.commands.length = 0;
  const until = Date.now() + 2500;
  while (Date.now() < until) {
    if (world.engine.runningOf('web.0') === 1) world.engine.meddle('web.0', 'kill');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // At once, after 1 s; the next would come after 2 s more.
  expect(world.engine.commands.filter((it) => it === 'start web.0')).toHaveLength(2);
}, 10_000);

it('heals from the journal after a restart with NATS down, and routes', async () => {
  await world.shutdown();
  world.faults.disconnect();
  world.engine.meddle('web.0', 'remove');
  world.engine.meddle('web.1', 'kill');
  await world.boot();
  await eventually(() => states().join() === 'running,running');
  await expect.poll(endpoints).toBe(2);
});

it('adopts what runs after its own restart, and never routes to nothing meanwhile', async () => {
  await world.shutdown();
  world.engine.commands.length = 0;
  const tables: number[] = [];
  await world.boot();
  const until = Date.now() + 600;
  while (Date.now() < until) {
    tables.push(endpoints());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(new Set(tables)).toEqual(new Set([2]));
  expect(world.engine.commands).toEqual([]);
});

it('doubles nothing when Docker restarts', async () => {
  world.engine.goAway(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  world.engine.comeBack();
  await eventually(() => states().join() === 'running,running', 4000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(states()).toEqual(['running', 'running']);
});

it('tells of what it healed in the snapshot', async () => {
  world.engine.meddle('web.0', 'remove');
  await eventually(() => world.engine.runningOf('web.0') === 1, 1000);
  const read = async () => JSON.stringify((await world.store.bucket('observed').get(['m1']))?.value ?? {});
  await expect.poll(read, { timeout: 3000 }).toContain('its container was missing; it was made again');
});

it('restarts an instance that stays unready for longer than its liveness timeout', async () => {
  let exit = 0;
  const live = serviceSpec({ name: 'live', readiness: execReadiness({ livenessTimeoutMs: 200 }) });
  world.engine.programs.set(REF, { probe: () => exit });
  const { n } = { n: await world.deploy([web, live], '0000000000000009') };
  expect(n).toBe(2);
  world.engine.commands.length = 0;
  exit = 1;
  await eventually(() => world.engine.commands.includes('stop live.0'), 3000);
  exit = 0;
  await eventually(() => world.engine.runningOf('live.0') === 1, 3000);
  expect(world.engine.commands).not.toContain('stop web.0');
});
