/** Start-first, from the candidate to the removal of what it replaced. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployId } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, eventually, execReadiness } from '../../fakes/agent-world.ts';

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
});
afterEach(() => world.remove());

const web = serviceSpec({
  readiness: execReadiness(),
  routes: [{ kind: 'http', hostname: 'web.test', pathPrefix: '/', port: 8080 }],
});
const next = serviceSpec({ ...web, template: { ...web.template, image: image('b') } });

it('starts a candidate, and routes to it only once a release names it', async () => {
  world.offer(web);
  const row = world.row(web);
  expect(await world.ask({ verb: 'start', order: { row, spec: web } })).toMatchObject({ state: 'done' });
  expect(world.table().backends.flatMap((it) => it.endpoints)).toEqual([]);

  const { n } = await world.commit([web]);
  expect(await world.ask({ verb: 'apply', n })).toMatchObject({ state: 'done' });
  expect(world.table().backends[0]?.endpoints).toHaveLength(1);
});

it('keeps the old instance through the deploy, and retires it after the release', async () => {
  await world.deploy([web]);
  world.offer(next);
  const second = deployId(2);
  await world.ask({ verb: 'start', order: { row: world.row(next, second), spec: next } }, { deploy: second });
  expect(world.engine.runningOf('web.0')).toBe(2);

  const { n } = await world.commit([next], { deploy: second });
  await world.ask({ verb: 'apply', n }, { deploy: second });
  expect(world.engine.runningOf('web.0')).toBe(2);
  expect(await world.ask({ verb: 'retire', n }, { deploy: second })).toMatchObject({ state: 'done', drained: 1 });
  expect(world.engine.runningOf('web.0')).toBe(1);
  expect(world.drained).toHaveLength(1);
});

it('does not stop an instance before its sessions are over', async () => {
  await world.deploy([web]);
  world.offer(next);
  const second = deployId(2);
  await world.ask({ verb: 'start', order: { row: world.row(next, second), spec: next } }, { deploy: second });
  const { n } = await world.commit([next], { deploy: second });
  const release = world.holdDrains();
  expect(await world.send({ verb: 'retire', n }, { deploy: second })).toMatchObject({ state: 'accepted' });
  await eventually(() => world.drained.length === 1);
  expect(world.engine.runningOf('web.0')).toBe(2);
  release();
  await world.ask({ verb: 'retire', n }, { deploy: second });
  expect(world.engine.runningOf('web.0')).toBe(1);
});

it('removes the candidate of a voided deploy, and nothing else', async () => {
  await world.deploy([web]);
  world.offer(next);
  const second = deployId(2);
  await world.ask({ verb: 'start', order: { row: world.row(next, second), spec: next } }, { deploy: second });
  const n = await world.voidDeploy(second);
  expect(await world.ask({ verb: 'close', n }, { deploy: second })).toMatchObject({ state: 'done' });
  expect(Object.keys(world.engine.states())).toEqual([expect.stringContaining(deployId(1))]);
});

it('ends a start that is under way when its deploy is closed, and leaves nothing of it', async () => {
  const slow = serviceSpec({ ...web, readiness: execReadiness() });
  world.offer(slow);
  world.engine.programs.set(`registry.example/web@sha256:${'a'.repeat(64)}`, { probe: 1 });
  const order = { row: world.row(slow), spec: slow };
  expect(await world.send({ verb: 'start', order })).toMatchObject({ state: 'accepted' });
  await eventually(() => world.engine.runningOf('web.0') === 1);
  const n = await world.voidDeploy();
  expect(await world.ask({ verb: 'close', n })).toMatchObject({ state: 'done' });
  expect(world.engine.states()).toEqual({});
  expect(await world.send({ verb: 'start', order })).toMatchObject({ state: 'refused', code: 'CLOSED' });
});

it('fails with exit code and last lines when the process ends at once', async () => {
  world.offer(web);
  world.engine.programs.set(`registry.example/web@sha256:${'a'.repeat(64)}`, {
    probe: 1,
    exitsAfterMs: 5,
    exitCode: 3,
    logs: ['no config', 'bye'],
  });
  const reply = await world.ask({ verb: 'start', order: { row: world.row(web), spec: web } });
  expect(reply).toMatchObject({
    state: 'failed',
    code: 'EXITED',
    evidence: [{ slot: 'web.0', logs: ['no config', 'bye'] }],
  });
  expect(JSON.stringify(reply)).toContain('exit code 3');
});

it('fails with the last probe when it is not ready before its deadline', async () => {
  const slow = serviceSpec({ ...web, readiness: execReadiness(), deadlineMs: 200 });
  world.offer(slow);
  world.engine.programs.set(`registry.example/web@sha256:${'a'.repeat(64)}`, { probe: 1 });
  const reply = await world.ask({ verb: 'start', order: { row: world.row(slow), spec: slow } });
  expect(reply).toMatchObject({
    state: 'failed',
    code: 'NEVER_READY',
    evidence: [{ lastProbe: 'command check: exit code 1, not yet' }],
  });
});

it('answers the same step with its result, and a finished start whose instance is gone by starting it again', async () => {
  world.offer(web);
  const order = { row: world.row(web), spec: web };
  await world.ask({ verb: 'start', order });
  await world.ask({ verb: 'start', order });
  expect(world.engine.commands).toEqual(['create web.0', 'start web.0']);
  world.engine.meddle('web.0', 'remove');
  await eventually(() => Object.keys(world.engine.states()).length === 0);
  expect(await world.ask({ verb: 'start', order })).toMatchObject({ state: 'done' });
  expect(world.engine.runningOf('web.0')).toBe(1);
});
