import { describe, expect, it } from 'vitest';
import { difference } from '../../../controller/plan/compare.ts';
import type { Plan } from '../../../schemas/plan.ts';
import { planOf } from '../../builders/plan.ts';
import { released, unpinned } from '../../builders/plan-input.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';

const web = (overrides: Parameters<typeof serviceSpec>[0] = {}) => serviceSpec({ name: 'web', ...overrides });
const env = (V: string) => web({ template: { env: { V } } });
const live = released([env('1'), serviceSpec({ name: 'db' })]);
const plan = (services: Parameters<typeof planOf>[0]): Plan => planOf({ released: live, ...services });

describe('the difference between two plans', () => {
  it('of one effect over one release is nothing, whatever revision they come from', () => {
    const services = [env('2')];
    expect(
      difference(plan({ services, revision: '1'.repeat(40) }), plan({ services, revision: '2'.repeat(40) })),
    ).toEqual([]);
  });

  it('of one effect over two releases is the release', () => {
    const services = [env('2')];
    const later = { ...live, release: { ...live.release, n: 4 } };
    const [before, after] = [plan({ services }), plan({ services, released: later })];
    expect(after.id).toBe(before.id);
    expect(difference(before, after)).toEqual(['It starts from release #4; the other started from release #1.']);
  });

  it('names what differs in each service, and no value of the environment', () => {
    const before = plan({ services: [env('hunter2'), serviceSpec({ name: 'db' })] });
    const after = plan({
      services: [web({ template: { env: { V: 'hunter3' }, image: image('b') } }), serviceSpec({ name: 'cache' })],
    });
    const found = difference(before, after);
    expect(found).toContain('Service web: env.V differs.');
    expect(found.join()).toMatch(/Service web: image digest is .*bbb.*, was .*aaa/);
    expect(found).toEqual(
      expect.arrayContaining([
        'Service cache is in it now.',
        'Service db is no longer in it.',
        'It removes service db now.',
      ]),
    );
    expect(found.join()).not.toContain('hunter');
  });

  it('names another way to the same services', () => {
    const services = [env('2'), serviceSpec({ name: 'db' })];
    const before = plan({ services });
    const after = plan({ services, released: released([env('1')]) });
    expect(difference(before, after)).toContain('Service db: create instead of unchanged.');
  });

  it('names jobs, volumes and who is away', () => {
    const job = serviceSpec({ name: 'migrate', job: true, ports: [] });
    const data = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
    const stopFirst = web({ template: { mounts: [volumeMount()] } });
    const desired = (services: ReturnType<typeof serviceSpec>[]) => ({
      namespace: 'production',
      services: services.map(unpinned),
      volumes: [data],
    });
    const before = planOf({ services: [web()] });
    const after = planOf({ services: [stopFirst, job], desired: desired([stopFirst, job]) });
    const found = difference(before, after);
    expect(found).toEqual(expect.arrayContaining(['It runs job migrate now.', 'It makes volume data on m1 now.']));
    expect(difference(after, before)).toEqual(
      expect.arrayContaining(['It no longer runs job migrate.', 'It no longer makes volume data on m1.']),
    );
  });

  it('is cut to what a person reads', () => {
    const many = (version: string) =>
      Array.from({ length: 60 }, (_, i) => serviceSpec({ name: `s${i}`, template: { env: { V: version } } }));
    const found = difference(plan({ services: many('1') }), plan({ services: many('2') }));
    expect(found).toHaveLength(21);
    expect(found.at(-1)).toBe('And 40 more differences.');
  });

  it('is never nothing when the ids differ', () => {
    const before = plan({ services: [env('2')] });
    expect(difference(before, { ...before, id: 'f'.repeat(64) })).toEqual([
      'The order or the makeup of the phases differs.',
    ]);
  });
});
