import { describe, expect, it } from 'vitest';
import { hasChanges } from '../../../schemas/plan.ts';
import { templateDigest } from '../../../schemas/service.ts';
import { machine } from '../../builders/machine.ts';
import { planOf, shortSteps } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { deployId, slotRows } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';

const web = (count: number, version: string, more: Parameters<typeof serviceSpec>[0] = {}) =>
  serviceSpec({
    ...more,
    placement: { replicaCount: count, ...more.placement },
    template: { image: image(version), ...more.template },
  });
const rolling = (maxSurge: number, maxUnavailable: number) => ({
  kind: 'rolling' as const,
  maxSurge: { count: maxSurge },
  maxUnavailable: { count: maxUnavailable },
});

describe('phases', () => {
  it('pull each image once a machine, start everything, and commit once', () => {
    const specs = ['a', 'b'].map((name) => serviceSpec({ name, placement: { replicaCount: 2 } }));
    const plan = planOf({ services: specs });

    expect(plan.phases.map((it) => it.title)).toEqual(['prepare', 'start a, b', 'release']);
    expect(plan.phases[0]?.steps.map((it) => it.verb)).toEqual(['pull']);
    expect(shortSteps(plan)).toEqual(['start a.0@m1; start a.1@m1; start b.0@m1; start b.1@m1', '[final]']);
  });

  it('do not pull what must never be pulled', () => {
    expect(planOf({ services: [serviceSpec({ pullPolicy: 'never' })] }).phases.map((it) => it.title)).toEqual([
      'start web',
      'release',
    ]);
  });

  it('are only the final commit when nothing changes', () => {
    const plan = planOf({ services: [web(2, 'a')], released: released([web(2, 'a')]) });

    expect(hasChanges(plan)).toBe(false);
    expect(shortSteps(plan)).toEqual(['[final]']);
  });

  it('name steps so that an agent can tell them apart, the same way each time', () => {
    const plan = planOf({ services: [web(2, 'b')], released: released([web(2, 'a')]) });

    expect(plan.phases.flatMap((it) => it.steps).map((it) => it.id)).toEqual([
      expect.stringMatching(/^prepare\/pull\/m1\/[0-9a-f]{12}$/),
      '1/start/web.0',
      '1/start/web.1',
    ]);
  });

  it('start a new version beside the old one and commit it once', () => {
    const plan = planOf({ services: [web(3, 'b')], released: released([web(3, 'a')]) });

    expect(shortSteps(plan)).toEqual(['start web.0@m1; start web.1@m1; start web.2@m1', '[final]']);
    expect(plan.downtime).toEqual({ class: 'none', services: [] });
  });

  it('start only the new slots when a service is scaled up, and keep the others with their new spec', () => {
    const live = released([web(1, 'a')]);
    const plan = planOf({ services: [web(3, 'a')], released: live });
    const [first] = plan.phases.at(-1)?.slots ?? [];

    expect(shortSteps(plan)).toEqual(['start web.1@m1; start web.2@m1', '[final]']);
    expect(first?.deploy).toBe(live.release.slots[0]?.deploy);
    expect(first?.spec).not.toBe(live.release.slots[0]?.spec);
  });

  it('carry in-place changes and removals out by the final table alone', () => {
    const old = serviceSpec({ name: 'old' });
    const plan = planOf({
      services: [web(1, 'a', { deadlineMs: 1 })],
      released: released([old, web(1, 'a')]),
    });

    expect(shortSteps(plan)).toEqual(['[final]']);
    expect(plan.phases[0]?.slots.map((it) => it.slot)).toEqual(['web.0']);
    expect(hasChanges(plan)).toBe(true);
  });

  it('end a removal of the namespace with an empty table', () => {
    const plan = planOf({ kind: 'remove', services: [], released: released([web(2, 'a')]) });

    expect(plan.phases).toMatchObject([{ steps: [], commit: 'final', slots: [] }]);
  });

  it('go on with an instance that still runs, and make sure of it', () => {
    const old = web(1, 'a');
    const kept = slotRows(old, { deploy: deployId(7) });
    const plan = planOf({ services: [old], released: released([web(1, 'b')]), keptRows: kept });

    expect(shortSteps(plan)).toEqual(['start web.0@m1', '[final]']);
    expect(plan.phases.at(-1)?.slots).toMatchObject([{ slot: 'web.0', deploy: deployId(7) }]);
  });

  it('hold the old instances of a blue-green service for the longest hold among those that change', () => {
    const blue = (name: string, version: string, holdMs: number) =>
      web(1, version, { name, strategy: { kind: 'blue-green', holdMs } });
    const plan = planOf({
      services: [blue('a', 'b', 1_000), blue('b', 'b', 5_000), blue('c', 'a', 9_000)],
      released: released([blue('a', 'a', 1_000), blue('b', 'a', 5_000), blue('c', 'a', 9_000)]),
    });

    expect(plan.phases.map((it) => it.holdMs)).toEqual([0, 0, 5_000]);
  });
});

describe('rolling with bounds', () => {
  it('exchanges as many at a time as the surge allows, a checkpoint after each but the last', () => {
    const plan = planOf({
      services: [web(3, 'b', { strategy: rolling(1, 0) })],
      released: released([web(3, 'a', { strategy: rolling(1, 0) })]),
    });

    expect(shortSteps(plan)).toEqual([
      'start web.0@m1 [checkpoint]',
      'start web.1@m1 [checkpoint]',
      'start web.2@m1',
      '[final]',
    ]);
    const old = templateDigest(web(3, 'a'));
    const versions = plan.phases.map((it) => it.slots.map((row) => (row.template === old ? 'old' : 'new')).join(' '));
    expect(versions).toEqual(['', 'new old old', 'new new old', '', 'new new new']);
  });

  it('rounds surge up and unavailability down, and takes one at a time when both would be none', () => {
    const strategy = (surge: number, unavailable: number) => ({
      kind: 'rolling' as const,
      maxSurge: { percent: surge },
      maxUnavailable: { percent: unavailable },
    });
    const phases = (count: number, surge: number, unavailable: number) => {
      const at = (version: string) => web(count, version, { strategy: strategy(surge, unavailable) });
      return shortSteps(planOf({ services: [at('b')], released: released([at('a')]) }));
    };

    expect(phases(3, 34, 0)).toHaveLength(3);
    expect(phases(2, 0, 0)[0]).toBe('start web.0@m1 [checkpoint]');
    expect(phases(1, 0, 25)[0]).toBe('start web.0@m1');
    expect(phases(4, 0, 50)).toEqual([
      'swap m1 -web.0 -web.1 +web.0 +web.1 [checkpoint]',
      'swap m1 -web.2 -web.3 +web.2 +web.3',
      '[final]',
    ]);
  });

  it('swaps on each machine what makes room there when no surge is allowed', () => {
    const at = (version: string) => web(4, version, { strategy: rolling(0, 2) });
    const plan = planOf({
      services: [at('b')],
      machines: [machine(), machine({ name: 'm2' })],
      released: released([at('a')], {}, { web: slotRows(at('a'), { machines: ['m1', 'm2'] }) }),
    });

    expect(shortSteps(plan)).toEqual([
      'swap m1 -web.0 +web.0; swap m2 -web.1 +web.1 [checkpoint]',
      'swap m1 -web.2 +web.2; swap m2 -web.3 +web.3',
      '[final]',
    ]);
    expect(plan.downtime.class).toBe('none');
  });

  it('adds new slots with the first batch', () => {
    const plan = planOf({
      services: [web(4, 'b', { strategy: rolling(1, 0) })],
      released: released([web(2, 'a', { strategy: rolling(1, 0) })]),
    });

    expect(shortSteps(plan)[0]).toBe('start web.2@m1; start web.3@m1; start web.0@m1 [checkpoint]');
  });

  it('leaves services that no batch waits for to the final commit', () => {
    const at = (version: string) => [
      web(1, version, { name: 'apart' }),
      web(1, version, { name: 'base' }),
      web(2, version, { name: 'slow', strategy: rolling(1, 0), dependsOn: { base: 'ready' } }),
    ];
    const plan = planOf({ services: at('b'), released: released(at('a')) });

    expect(shortSteps(plan)).toEqual([
      'start base.0@m1',
      'start slow.0@m1 [checkpoint]',
      'start slow.1@m1',
      'start apart.0@m1',
      '[final]',
    ]);
    const table = plan.phases.find((it) => it.commit === 'checkpoint')?.slots;
    expect(table?.map((it) => `${it.slot} ${it.deploy === null ? 'new' : 'old'}`)).toEqual([
      'apart.0 old',
      'base.0 new',
      'slow.0 new',
      'slow.1 old',
    ]);
  });
});

describe('dependencies', () => {
  it('order what starts, and jobs stand before what waits for them', () => {
    const plan = planOf({
      services: [
        serviceSpec({ name: 'db' }),
        serviceSpec({ name: 'migrate', job: true, dependsOn: { db: 'ready' } }),
        serviceSpec({ name: 'web', dependsOn: { migrate: 'completed' } }),
        serviceSpec({ name: 'alone' }),
      ],
    });

    expect(shortSteps(plan)).toEqual([
      'start alone.0@m1; start db.0@m1',
      'job migrate@m1',
      'start web.0@m1',
      '[final]',
    ]);
  });

  it('add no wait where what is waited for does not change', () => {
    const db = serviceSpec({ name: 'db' });
    const plan = planOf({
      services: [db, web(1, 'b', { dependsOn: { db: 'ready' } }), serviceSpec({ name: 'x' })],
      released: released([db, web(1, 'a', { dependsOn: { db: 'ready' } })]),
    });

    expect(shortSteps(plan)).toEqual(['start web.0@m1; start x.0@m1', '[final]']);
  });

  it('do not run a job again that ran for this template', () => {
    const job = serviceSpec({ name: 'migrate', job: true });
    const ran = { service: 'migrate', template: templateDigest(job) };

    expect(shortSteps(planOf({ services: [job], finishedJobs: [ran] }))).toEqual(['[final]']);
    expect(shortSteps(planOf({ services: [job], finishedJobs: [{ ...ran, service: 'other' }] }))[0]).toBe(
      'job migrate@m1',
    );
  });

  it('survive a chain of thousands of services', () => {
    const services = Array.from({ length: 3_000 }, (_, i) =>
      serviceSpec({ name: `s${i}`, dependsOn: i === 2_999 ? {} : { [`s${i + 1}`]: 'started' } }),
    );

    expect(planOf({ services }).phases).toHaveLength(3_002);
  });
});
