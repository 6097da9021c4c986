/** Jobs run once for each template, and their end is the result. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { specDigest, templateDigest } from '../../../schemas/service.ts';
import type { StepAction } from '../../../schemas/step.ts';
import { deployId } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, eventually } from '../../fakes/agent-world.ts';

const REF = `registry.example/web@sha256:${'a'.repeat(64)}`;
const migrate = serviceSpec({ name: 'migrate', job: true });
const job: StepAction = {
  verb: 'job',
  service: 'migrate',
  template: templateDigest(migrate),
  specDigest: specDigest(migrate),
  spec: migrate,
};

let world: AgentWorld;
beforeEach(async () => {
  world = createAgentWorld();
  await world.boot();
  world.offer(migrate);
});
afterEach(() => world.remove());

const starts = () => world.engine.commands.filter((it) => it.startsWith('start')).length;

it('gives the exit code, and does not run again what has succeeded', async () => {
  world.engine.programs.set(REF, { exitsAfterMs: 20, exitCode: 0 });
  expect(await world.ask(job)).toMatchObject({ state: 'done', exitCode: 0 });
  expect(await world.ask(job, { deploy: deployId(2) })).toMatchObject({ state: 'done', exitCode: 0 });
  expect(starts()).toBe(1);
});

it('attaches to one that still runs, also after a restart of the agent', async () => {
  world.engine.programs.set(REF, { exitsAfterMs: 400, exitCode: 0 });
  expect(await world.send(job)).toMatchObject({ state: 'accepted' });
  await eventually(() => starts() === 1);
  await world.shutdown();
  await world.boot();
  expect(await world.ask(job)).toMatchObject({ state: 'done', exitCode: 0 });
  expect(starts()).toBe(1);
});

it('fails with exit code and last lines; it stays failed for its deploy, and runs again for another', async () => {
  world.engine.programs.set(REF, { exitsAfterMs: 10, exitCode: 7, logs: ['column exists'] });
  const failed = { state: 'failed', code: 'JOB_FAILED', evidence: [{ exitCode: 7, logs: ['column exists'] }] };
  expect(await world.ask(job)).toMatchObject(failed);
  await world.shutdown();
  await world.boot();
  expect(await world.ask(job)).toMatchObject(failed);
  expect(starts()).toBe(1);
  expect(await world.ask(job, { deploy: deployId(2) })).toMatchObject(failed);
  expect(starts()).toBe(2);
});

it('is not healed, and the ended one stays while the release has its template', async () => {
  world.engine.programs.set(REF, { exitsAfterMs: 10, exitCode: 0 });
  await world.ask(job);
  const { n } = await world.commit([migrate]);
  for (const verb of ['apply', 'retire', 'close'] as const) {
    expect(await world.ask({ verb, n })).toMatchObject({ state: 'done' });
  }
  expect(Object.values(world.engine.states())).toEqual(['exited']);

  const { n: without } = await world.commit([], { deploy: deployId(2) });
  expect(await world.ask({ verb: 'retire', n: without }, { deploy: deployId(2) })).toMatchObject({ state: 'done' });
  expect(world.engine.states()).toEqual({});
});
