/** Stop-first: never both at once, and after every failure or crash the old one runs again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { StepAction } from '../../../schemas/step.ts';
import { deployId } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, eventually, execReadiness } from '../../fakes/agent-world.ts';

const NEW = `registry.example/web@sha256:${'b'.repeat(64)}`;
const first = deployId(1);
const second = deployId(2);

const db = serviceSpec({
  name: 'db',
  readiness: execReadiness(),
  routes: [{ kind: 'http', hostname: 'db.test', pathPrefix: '/', port: 8080 }],
});
const next = serviceSpec({ ...db, template: { ...db.template, image: image('b') } });

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
  await world.deploy([db], first);
  world.offer(next);
});
afterEach(() => world.remove());

function swap(deadlineMs = 5000): StepAction {
  const starts = [{ row: world.row(next, second), spec: next }];
  return { verb: 'swap', stops: [world.row(db, first)], starts, deadlineMs };
}
const states = () =>
  Object.fromEntries(Object.entries(world.engine.states()).map(([name, state]) => [name.slice(-1), state]));
const endpoints = () => world.table().backends.flatMap((it) => it.endpoints);

it('stops the old one, starts the new one, routes to it before any release, and keeps the old container', async () => {
  const before = endpoints();
  expect(await world.ask(swap(), { deploy: second })).toMatchObject({ state: 'done' });
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });
  await eventually(() => endpoints().length === 1 && endpoints()[0]?.id !== before[0]?.id);

  const { n } = await world.commit([next], { deploy: second });
  for (const verb of ['apply', 'retire', 'close'] as const) {
    expect(await world.ask({ verb, n }, { deploy: second })).toMatchObject({ state: 'done' });
  }
  expect(states()).toEqual({ 2: 'running' });
  expect(world.journal().view('production').swaps).toEqual([]);
});

it('never runs both at once', async () => {
  let most = 0;
  world.engine.programs.set(NEW, {
    probe: () => {
      most = Math.max(most, world.engine.runningOf('db.0'));
      return 0;
    },
  });
  await world.ask(swap(), { deploy: second });
  expect(most).toBe(1);
});

it('starts the old one again when the new one is not ready by the deadline, and says why', async () => {
  world.engine.programs.set(NEW, { probe: 1 });
  const reply = await world.ask(swap(150), { deploy: second });
  expect(reply).toMatchObject({ state: 'failed', code: 'NEVER_READY', evidence: [{ slot: 'db.0' }] });
  expect(states()).toEqual({ 1: 'running' });
  // Sent again, it is not tried again.
  expect(await world.ask(swap(150), { deploy: second })).toMatchObject({ state: 'failed', code: 'NEVER_READY' });
});

it('does not stop anything when the new one cannot even be made', async () => {
  world.engine.images.delete(NEW);
  const local = serviceSpec({
    ...db,
    template: { ...db.template, image: { localId: `sha256:${'c'.repeat(64)}`, name: 'x' } },
  });
  const starts = [{ row: world.row(local, second), spec: local }];
  const stops = [world.row(db, first)];
  world.engine.commands.length = 0;
  const reply = await world.ask({ verb: 'swap', stops, starts, deadlineMs: 500 }, { deploy: second });
  expect(reply).toMatchObject({ state: 'failed', code: 'IMAGE_NOT_FOUND' });
  expect(world.engine.commands.filter((it) => it.startsWith('stop'))).toEqual([]);
});

it('goes back to the old one when the deploy is voided after the swap', async () => {
  await world.ask(swap(), { deploy: second });
  const n = await world.voidDeploy(second);
  expect(await world.ask({ verb: 'close', n }, { deploy: second })).toMatchObject({ state: 'done' });
  expect(states()).toEqual({ 1: 'running' });
  await eventually(() => endpoints().length === 1);
});

it('does not go back from a swap that a checkpoint made official', async () => {
  await world.ask(swap(), { deploy: second });
  const { n } = await world.commit([next], { deploy: second, final: false });
  await world.ask({ verb: 'apply', n }, { deploy: second });
  const end = await world.voidDeploy(second);
  await world.ask({ verb: 'close', n: end }, { deploy: second });
  expect(states()).toMatchObject({ 2: 'running' });
  expect(world.engine.runningOf('db.0')).toBe(1);
});

it('does not go back from a swap whose release it could not write down', { timeout: 20_000 }, async () => {
  await world.shutdown();
  let dead = false;
  await world.boot((point) => {
    if (dead && point === 'journal.release') throw new Error('the disk is full');
  });
  await world.ask(swap(), { deploy: second });
  dead = true;
  await world.commit([next], { deploy: second });
  // The log is read; that the deploy has ended is written down first, and then no more.
  await eventually(() => world.journal().view('production').closed.includes(second));
  await sleep(1500);
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });

  await world.shutdown();
  world.faults.disconnect();
  await world.boot();
  await sleep(1500);
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });

  world.faults.reconnect();
  await eventually(() => world.journal().view('production').swaps.length === 0, 10_000);
  expect(states()).toMatchObject({ 2: 'running' });
});

it('carries on after its own crash, with NATS down', async () => {
  let ready = 1;
  world.engine.programs.set(NEW, { probe: () => ready });
  await world.send(swap(), { deploy: second });
  await eventually(() => states()['2'] === 'running');
  await world.shutdown();
  world.faults.disconnect();
  ready = 0;
  await world.boot();
  await eventually(() => world.journal().view('production').swaps[0]?.state === 'done');
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });
});

it('undoes itself after its own crash when the deadline has passed, with NATS down', async () => {
  world.engine.programs.set(NEW, { probe: 1 });
  await world.send(swap(300), { deploy: second });
  await eventually(() => states()['2'] === 'running');
  await world.shutdown();
  world.faults.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 350));
  await world.boot();
  await eventually(() => world.journal().view('production').swaps[0]?.state === 'undone');
  expect(states()).toEqual({ 1: 'running' });
});

it('finishes when Docker goes away in the middle and comes back', async () => {
  let ready = 1;
  world.engine.programs.set(NEW, { probe: () => ready });
  await world.send(swap(), { deploy: second });
  await eventually(() => states()['2'] === 'running');
  world.engine.goAway();
  await new Promise((resolve) => setTimeout(resolve, 100));
  ready = 0;
  world.engine.comeBack();
  expect(await world.ask(swap(), { deploy: second })).toMatchObject({ state: 'done' });
});

it('restarts the swapped-in instance when somebody kills it before the release', async () => {
  await world.ask(swap(), { deploy: second });
  world.engine.meddle(second, 'kill');
  await eventually(() => states()['2'] === 'running');
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });
});

it('leaves the old one stopped while nobody has decided yet', async () => {
  await world.ask(swap(), { deploy: second });
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(states()).toEqual({ 1: 'exited', 2: 'running' });
});
