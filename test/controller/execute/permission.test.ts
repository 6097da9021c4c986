/** What the executor demands before its first step, whoever calls it, and at every point at which it can die. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { carryOut } from '../../../controller/carry-out.ts';
import { type Agreements, createAgreements } from '../../../controller/consent/agreements.ts';
import { createFreezes } from '../../../controller/consent/freezes.ts';
import { systemClock } from '../../../controller/execute/clock.ts';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { Plan } from '../../../schemas/plan.ts';
import { serviceSpec } from '../../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from './lab.ts';

const never = new AbortController().signal;
const AT = '2026-01-01T00:00:00.000Z';
let lab: ExecutorLab;
let agreements: Agreements;

const web = (version: string) => serviceSpec({ name: 'web', template: { env: { V: version } } });
const both = [web('1'), serviceSpec({ name: 'db' })];
const deploy = async (plan: Plan, executor = lab.executor) =>
  await executor.execute({ plan, actor: 'test', signal: never });
/** Removes one of two services, of which none may be removed without consent. */
const removal = async () => await lab.plan([web('1')], { maxRemovePercent: 0 });
const agree = async (plan: Plan, kind: 'consent' | 'approval' = 'consent') =>
  await agreements.give({
    kind,
    plan: plan.id,
    namespace: plan.namespace,
    release: plan.basis.release,
    by: 'cli/ops',
    why: 'it is empty',
    at: AT,
    used: null,
  });
const codeOf = (error: unknown) => (isSlipwayError(error) ? error.code : String(error));
const services = async () => Object.keys((await lab.store.log.live('production'))?.services ?? {}).toSorted();

async function begin(): Promise<void> {
  lab = await createExecutorLab();
  agreements = createAgreements({ bucket: lab.store.bucket('consents') });
  await deploy(await lab.plan(both));
}

beforeEach(begin);
afterEach(async () => await lab.close());

describe('a plan that needs consent', () => {
  it('is refused without one, waits, and touches nothing', async () => {
    const before = lab.machine.acted.length;
    const plan = await removal();
    await expect(deploy(plan)).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
    expect(await services()).toEqual(['db', 'web']);
    expect(lab.machine.acted.length).toBe(before);
    expect(await agreements.pending('production')).toMatchObject([{ plan: plan.id, needs: ['consent'], by: 'test' }]);
  });

  it('is carried out with one, which says who and why, and waits no longer', async () => {
    const plan = await removal();
    await expect(deploy(plan)).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
    await agree(plan);
    const done = await deploy(plan);
    expect(done).toMatchObject({ state: 'done', agreements: [{ kind: 'consent', by: 'cli/ops', why: 'it is empty' }] });
    expect(await services()).toEqual(['web']);
    expect(await agreements.pending('production')).toEqual([]);
    expect((await agreements.given({ namespace: 'production', plan: plan.id }, 'consent'))?.used?.deploy).toBe(done.id);
    await vi.waitFor(async () => {
      const events = await lab.store.events.list(100);
      expect(events.find((it) => it.kind === 'consent.used')?.message).toContain('consent of cli/ops to plan');
    });
  });

  it('is not carried out twice with the same one', async () => {
    const plan = await removal();
    await agree(plan);
    await deploy(plan);
    await deploy(await lab.plan(both));
    const again = await removal();
    expect(again.id).toBe(plan.id);
    await expect(deploy(again)).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
    expect(await services()).toEqual(['db', 'web']);
  });

  it('is not carried out with the consent to another', async () => {
    await agree(await lab.plan([web('2')], { maxRemovePercent: 0 }));
    await expect(deploy(await removal())).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
  });

  it('keeps its consent when something else stops it before it begins', async () => {
    const plan = await removal();
    await agree(plan);
    await deploy(await lab.plan([web('2'), serviceSpec({ name: 'db' })]));
    await expect(deploy(plan)).rejects.toMatchObject({ code: 'BASIS_MOVED' });
    expect(await agreements.given({ namespace: 'production', plan: plan.id }, 'consent')).toMatchObject({ used: null });
  });

  it('is carried out by one of two executors that have the same consent', async () => {
    const plan = await removal();
    await agree(plan);
    const runs = await Promise.allSettled(
      [1, 2].map(() => lab.executor.execute({ plan, actor: 'test', signal: never, waitForLeaseMs: 5_000 })),
    );
    expect(runs.map((it) => it.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await lab.store.log.entries('production')).filter((it) => it.kind === 'release')).toHaveLength(2);
  });

  it('needs another one after an executor died with it, and never runs twice with one', async () => {
    const seen = new Set<string>();
    for (let k = 1; ; k++) {
      await lab.close();
      await begin();
      const plan = await removal();
      await agree(plan);
      const doomed = lab.doomed(k);
      const run = deploy(plan, doomed.executor);
      run.catch(() => undefined);
      const ended = await Promise.race([doomed.dead.then(() => 'dead'), run.then(() => 'done')]);
      if (ended === 'done') break;
      seen.add(doomed.points[k - 1] ?? '');
      await lab.expireLease();
      await lab.executor.recover('production', 'recovery', never);
      const used = (await agreements.given({ namespace: 'production', plan: plan.id }, 'consent'))?.used ?? null;
      const removed = (await services()).length === 1;
      const next = removed ? 'not asked' : await deploy(await removal()).then((it) => it.state, codeOf);
      const wanted = removed ? 'not asked' : used === null ? 'done' : 'CONSENT_NEEDED';
      expect({ at: doomed.points[k - 1], next, usedIfRemoved: !removed || used !== null }).toEqual({
        at: doomed.points[k - 1],
        next: wanted,
        usedIfRemoved: true,
      });
    }
    expect([...seen]).toEqual(expect.arrayContaining(['agreement:use:consent', 'agreement:used:consent', 'gate:last']));
  });
});

describe('a plan that needs an approval as well', () => {
  it('is refused with one of the two, and takes both', async () => {
    const plan = await lab.plan([web('1')], { maxRemovePercent: 0, approvalRequired: true });
    await agree(plan);
    await expect(deploy(plan)).rejects.toMatchObject({ code: 'APPROVAL_NEEDED' });
    await agree(plan, 'approval');
    expect((await deploy(plan)).agreements?.map((it) => it.kind)).toEqual(['consent', 'approval']);
  });
});

describe('a freeze', () => {
  const freezes = () => createFreezes({ bucket: lab.store.bucket('freezes'), now: () => systemClock.now() });
  const freeze = async (scope: string, until: string | null = null) =>
    await freezes().set({ scope, by: 'cli/ops', why: 'a sale', at: AT, until });

  it.each(['production', '*'])('of %s refuses every plan before its first step', async (scope) => {
    await freeze(scope);
    const before = lab.machine.acted.length;
    await expect(deploy(await lab.plan([web('2'), serviceSpec({ name: 'db' })]))).rejects.toMatchObject({
      code: 'FROZEN',
      message: expect.stringContaining('frozen by cli/ops: a sale'),
    });
    expect(lab.machine.acted.length).toBe(before);
  });

  it('of another namespace, or whose time is over, refuses nothing', async () => {
    await freeze('staging');
    await freeze('production', '2026-01-01T00:00:00.000Z');
    expect((await deploy(await lab.plan([web('2')], {}))).state).toBe('done');
  });

  it('that nobody can read refuses as well', async () => {
    await lab.store.bucket('freezes').put(['ns', 'production'], 'no freeze, just words');
    await expect(deploy(await lab.plan([web('2')]))).rejects.toMatchObject({ code: 'FROZEN' });
  });

  it('takes no consent of what it refuses', async () => {
    const plan = await removal();
    await agree(plan);
    await freeze('production');
    await expect(deploy(plan)).rejects.toMatchObject({ code: 'FROZEN' });
    await freezes().lift('production');
    expect((await deploy(plan)).state).toBe('done');
  });

  it.each(['step:start:send', 'gate:last'])('that comes at %s ends the deploy before it is live', async (point) => {
    const probe = lab.doomed(Number.POSITIVE_INFINITY);
    await deploy(await lab.plan([web('2'), serviceSpec({ name: 'db' })]), probe.executor);
    const paused = lab.doomed(probe.points.indexOf(point) + 1);
    const run = deploy(await lab.plan([web('3'), serviceSpec({ name: 'db' })]), paused.executor);
    await paused.dead;
    await freeze('production');
    paused.revive();
    expect(await run).toMatchObject({ state: 'failed', failure: { code: 'FROZEN' } });
    expect((await lab.store.log.live('production'))?.n).toBe(2);
    expect((await lab.store.log.read('production', 3))?.kind).toBe('void');
    expect([...lab.machine.running.values()].map((it) => it.service).toSorted()).toEqual(['db', 'web']);
  });

  it('that comes after a checkpoint leaves what is live, and nothing goes back by itself', async () => {
    const batched = (version: string) =>
      serviceSpec({
        ...web(version),
        placement: { replicaCount: 2 },
        strategy: { kind: 'rolling', maxSurge: { count: 1 }, maxUnavailable: { count: 0 } },
        onFailure: 'revert',
      });
    await deploy(await lab.plan([batched('1')]));
    const probe = lab.doomed(Number.POSITIVE_INFINITY);
    await deploy(await lab.plan([batched('2')]), probe.executor);
    const gates = probe.points.flatMap((it, index) => (it === 'gate:last' ? [index + 1] : []));
    expect(gates.length).toBeGreaterThan(1);
    const paused = lab.doomed(gates[1] ?? 0);
    const plan = await lab.plan([batched('3')]);
    const run = carryOut({ store: lab.store, executor: paused.executor }, { plan, actor: 'test', signal: never });
    await paused.dead;
    await freeze('*');
    paused.revive();
    expect(await run).toMatchObject({
      deploy: { state: 'failed-after-checkpoint', failure: { code: 'FROZEN' } },
      reverted: null,
    });
    expect(await lab.store.log.live('production')).toMatchObject({ final: false });
  });

  it('lets what a dead executor left be ended', async () => {
    const probe = lab.doomed(Number.POSITIVE_INFINITY);
    await deploy(await lab.plan([web('2'), serviceSpec({ name: 'db' })]), probe.executor);
    const doomed = lab.doomed(probe.points.indexOf('step:start:done') + 1);
    deploy(await lab.plan([web('3'), serviceSpec({ name: 'db' })]), doomed.executor).catch(() => undefined);
    await doomed.dead;
    await lab.expireLease();
    await freeze('*');
    expect(await lab.executor.recover('production', 'recovery', never)).toBe(true);
    expect(await lab.deploys.listOpen('production')).toEqual([]);
    expect((await lab.store.log.read('production', 3))?.kind).toBe('void');
  });
});
