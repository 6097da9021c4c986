import { describe, expect, it } from 'vitest';
import { planOf } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { serviceSpec } from '../../builders/service.ts';

const named = (...names: string[]) => names.map((name) => serviceSpec({ name }));

describe('consent', () => {
  it('is not needed for removals up to the share that settings allow', () => {
    const plan = planOf({ services: named('a', 'b'), released: released(named('a', 'b', 'c', 'd')) });

    expect(plan.consents).toEqual([]);
    expect(plan.destructive).toEqual([
      'Service c is removed, with its instance.',
      'Service d is removed, with its instance.',
    ]);
  });

  it('is needed for more than that', () => {
    const plan = planOf({ services: named('a'), released: released(named('a', 'b', 'c')) });

    expect(plan.consents).toEqual(['2 of 3 services are removed; more than 50% needs consent.']);
  });

  it('is needed to remove everything, whatever settings allow', () => {
    const all = { services: [], released: released(named('a', 'b')), maxRemovePercent: 100 };

    expect(planOf(all).consents).toEqual(['All of namespace production is removed: 2 services.']);
    expect(planOf({ ...all, kind: 'remove', volumeRows: [{ volume: 'data', machine: 'm1' }] })).toMatchObject({
      consents: ['The whole namespace production is removed: 2 services.'],
      destructive: [
        'Service a is removed, with its instance.',
        'Service b is removed, with its instance.',
        'Namespace production is removed; its volumes stay until they are removed by name: data.',
      ],
    });
  });

  it('is not needed to begin with nothing', () => {
    expect(planOf({ services: [], maxRemovePercent: 0 }).consents).toEqual([]);
  });

  it('comes with a word on what a job leaves behind', () => {
    expect(planOf({ services: [serviceSpec({ name: 'migrate', job: true })] }).destructive).toEqual([
      'Job migrate runs; what it does is not undone if a later phase fails.',
    ]);
  });
});
