import { afterEach, describe, expect, it } from 'vitest';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { serviceSpec, volumeMount } from '../../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from './lab.ts';

const never = new AbortController().signal;
let lab: ExecutorLab;

afterEach(async () => await lab.close());

const job = serviceSpec({ name: 'migrate', job: true, ports: [] });
const web = (version: string) =>
  serviceSpec({
    name: 'web',
    placement: { replicaCount: 2 },
    template: { env: { V: version } },
    dependsOn: { migrate: 'completed' },
  });
const db = (version: string) =>
  serviceSpec({
    name: 'db',
    ports: [],
    strategy: { kind: 'recreate' },
    template: { env: { V: version }, mounts: [volumeMount()] },
  });
const batched = (version: string) =>
  serviceSpec({
    name: 'web',
    placement: { replicaCount: 3 },
    template: { env: { V: version } },
    strategy: { kind: 'rolling', maxSurge: { count: 1 }, maxUnavailable: { count: 0 } },
  });

const CASES: readonly { name: string; before: readonly ServiceSpec[]; after: readonly ServiceSpec[] }[] = [
  { name: 'start-first with a job', before: [web('1')], after: [job, web('2')] },
  { name: 'stop-first', before: [db('1')], after: [db('2')] },
  { name: 'batches with checkpoints', before: [batched('1')], after: [batched('2')] },
  { name: 'a first deploy', before: [], after: [web('1')] },
  { name: 'the removal of a service', before: [web('1'), db('1')], after: [web('1')] },
];
const VOLUMES = {
  desired: {
    namespace: 'production',
    services: [],
    volumes: [{ name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null }],
  },
};

async function deploy(services: readonly ServiceSpec[], executor = lab.executor) {
  return await executor.execute({ plan: await lab.plan(services, VOLUMES), actor: 'test', signal: never });
}

/** What the log says is live is what runs, nothing else runs, and no deploy is left open. */
async function expectConverged(): Promise<void> {
  const live = await lab.store.log.live('production');
  const named = (live?.slots ?? []).map((it) => `${it.slot} ${it.deploy}`).toSorted();
  expect([...lab.machine.running.keys()].toSorted()).toEqual(named);
  expect([...lab.machine.stopped.keys()]).toEqual([]);
  expect(await lab.deploys.listOpen('production')).toEqual([]);
}

describe.each(CASES)('an executor that dies during $name', ({ before, after }) => {
  it('leaves the next one with the old or the new, whichever point it died at', async () => {
    let points = 0;
    for (let k = 1; ; k++) {
      lab = await createExecutorLab();
      if (before.length > 0) await deploy(before);
      const doomed = lab.doomed(k);
      const plan = await lab.plan(after, VOLUMES);
      const run = doomed.executor.execute({ plan, actor: 'doomed', signal: never });
      const ended = await Promise.race([doomed.dead.then(() => 'dead'), run.then(() => 'done')]);
      if (ended === 'done') break;
      points += 1;
      await lab.expireLease();
      expect(await lab.executor.recover('production', 'recovery', never)).toBe(true);
      await expectConverged();
      // And what it was to do can still be done.
      await deploy(after);
      await expectConverged();
      const live = await lab.store.log.live('production');
      expect(Object.keys(live?.services ?? {}).toSorted()).toEqual(after.map((it) => it.name).toSorted());
      expect(lab.machine.jobRuns.length).toBeLessThanOrEqual(1);
      await lab.close();
    }
    expect(points).toBeGreaterThan(10);
  });
});

describe('an executor that was paused between its last gate and its append', () => {
  it('loses to the void of its successor and touches nothing more', async () => {
    lab = await createExecutorLab();
    await deploy([web('1')]);
    const probe = lab.doomed(Number.POSITIVE_INFINITY);
    await deploy([web('2')], probe.executor);
    const gate = probe.points.indexOf('gate:last') + 1;

    const paused = lab.doomed(gate);
    const plan = await lab.plan([web('3')], VOLUMES);
    const run = paused.executor.execute({ plan, actor: 'paused', signal: never }).catch((error: unknown) => error);
    await paused.dead;
    await lab.expireLease();
    expect(await lab.executor.recover('production', 'recovery', never)).toBe(true);
    await deploy([web('4')]);
    const before = { acted: [...lab.machine.acted], running: [...lab.machine.running.keys()] };

    paused.revive();
    const end = await run;
    expect(
      isSlipwayError(end, 'LEASE_LOST', 'DEPLOY_LOST', 'STEP_REFUSED') ||
        (end as { state?: string }).state === 'failed',
    ).toBe(true);
    expect([...lab.machine.running.keys()]).toEqual(before.running);
    const live = await lab.store.log.live('production');
    expect(live?.actor).toBe('test');
    await expectConverged();
  });
});

describe('a zombie whose machine never heard that its deploy is over', () => {
  /** Pauses before its first start; the successor's `close` is lost; the zombie wakes up. */
  async function zombie(checkFences: boolean): Promise<{ refused: string[]; acted: string[] }> {
    lab = await createExecutorLab({ checkFences });
    await deploy([web('1')]);
    const probe = lab.doomed(Number.POSITIVE_INFINITY);
    await deploy([web('2')], probe.executor);
    const paused = lab.doomed(probe.points.indexOf('step:start:send') + 1);
    const run = paused.executor
      .execute({ plan: await lab.plan([web('3')], VOLUMES), actor: 'zombie', signal: never })
      .catch((error: unknown) => error);
    await paused.dead;
    await lab.expireLease();
    lab.machine.deaf.add('close');
    expect(await lab.executor.recover('production', 'recovery', never)).toBe(true);
    lab.machine.deaf.clear();
    await deploy([web('4')]);
    const before = lab.machine.acted.length;
    paused.revive();
    await run;
    return {
      refused: lab.machine.refused,
      acted: lab.machine.acted.slice(before).filter((it) => it.includes('/start/')),
    };
  }

  it('is refused by its fence', async () => {
    const { refused, acted } = await zombie(true);
    expect(acted).toEqual([]);
    expect(refused.some((it) => it.endsWith('FENCED'))).toBe(true);
  });

  it('would start instances if nobody checked fences', async () => {
    expect((await zombie(false)).acted).not.toEqual([]);
  });
});
