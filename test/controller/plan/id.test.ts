import { describe, expect, it } from 'vitest';
import { machine } from '../../builders/machine.ts';
import { planOf } from '../../builders/plan.ts';
import { planInput, released } from '../../builders/plan-input.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';

const web = (version = 'b') => serviceSpec({ template: { image: image(version) } });
const base = { services: [web()], released: released([web('a')]) };
const volume = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
const id = (overrides: Parameters<typeof planOf>[0]) => planOf(overrides).id;

describe('the plan id', () => {
  it('is the same for a pull request and its squash merge', () => {
    const merged = { ...base, revision: '2'.repeat(40), desiredDigest: '3'.repeat(64), tip: 9 };

    expect(id(merged)).toBe(id(base));
  });

  it('does not depend on which machine a slot without volumes is on, nor on what is known of instances', () => {
    const elsewhere = { ...base, released: null, machines: [machine({ name: 'm9', memoryBytes: 1 })] };

    expect(id(elsewhere)).toBe(id({ ...base, released: null }));
    expect(id({ ...base, released: released([web('a')], { n: 4 }) })).toBe(id(base));
  });

  const volumes = (more: Parameters<typeof planInput>[0] = {}) => {
    const services = [serviceSpec({ template: { mounts: [volumeMount()] } })];
    return { ...more, services, desired: { ...planInput({ services }).desired, volumes: [volume] } };
  };

  it.each([
    ['an image', base, { ...base, services: [web('c')] }],
    ['a field outside the template', base, { ...base, services: [{ ...web(), deadlineMs: 1 }] }],
    ['the namespace', base, { ...base, desired: { ...planInput(base).desired, namespace: 'staging' } }],
    ['the kind', base, { ...base, kind: 'rollback' as const }],
    ['a removal', base, { ...base, released: released([web('a'), serviceSpec({ name: 'old' })]) }],
    [
      'a job that will run or not',
      { services: [serviceSpec({ job: true })] },
      {
        services: [serviceSpec({ job: true })],
        released: released([serviceSpec({ job: true })]),
        finishedJobs: planOf({ services: [serviceSpec({ job: true })] })
          .phases.flatMap((it) => it.steps)
          .flatMap((it) => (it.verb === 'job' ? [it] : [])),
      },
    ],
    ['the machine of a new volume', volumes(), volumes({ machines: [machine({ name: 'm2' })] })],
    ['a volume that is there already', volumes(), volumes({ volumeRows: [{ volume: 'data', machine: 'm1' }] })],
    ['whether anything is restarted', base, { ...base, released: released([web('b')]) }],
  ])('differs with %s', (_, one, other) => {
    expect(id(one)).not.toBe(id(other));
  });
});
