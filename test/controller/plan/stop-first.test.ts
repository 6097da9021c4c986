import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { machine } from '../../builders/machine.ts';
import { failuresOf, planOf, shortSteps } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { slotRows } from '../../builders/release.ts';
import { image, type ServiceOverrides, serviceSpec, volumeMount } from '../../builders/service.ts';

const at = (version: string, more: ServiceOverrides<ServiceSpec> = {}) =>
  serviceSpec({ ...more, template: { image: image(version), ...more.template } });
const data = [{ volume: 'data', machine: 'm1' }];
const udp = (hostPort: number) => [{ port: 53, protocol: 'udp' as const, hostPort }];

function update(more: ServiceOverrides<ServiceSpec>, options: { volumes?: boolean } = {}) {
  return planOf({
    services: [at('b', more)],
    released: released([at('a', more)]),
    volumeRows: options.volumes === true ? data : [],
  });
}

describe('stop-first', () => {
  it.each([
    ['a writable volume', { template: { mounts: [volumeMount()] } }, 'it has a writable mount'],
    [
      'a writable bind mount',
      { template: { mounts: [{ kind: 'bind', path: '/d', target: '/d', readonly: false }] } },
      'it has a writable mount',
    ],
    ['the host network', { template: { network: 'host' } }, 'it uses the host network'],
    ['a published udp port', { template: { udpPublish: udp(53) } }, 'it publishes a udp port'],
    ['the strategy recreate', { strategy: { kind: 'recreate' } }, 'its strategy is recreate'],
  ] satisfies [string, ServiceOverrides<ServiceSpec>, string][])('swaps a service with %s', (_, more, reason) => {
    const plan = update(more, { volumes: true });

    expect(shortSteps(plan)).toEqual(['swap m1 -web.0 +web.0', '[final]']);
    expect(plan.downtime).toMatchObject({ class: 'swap', services: [{ service: 'web', reason: `away: ${reason}` }] });
  });

  it.each([
    ['a readonly volume', { template: { mounts: [volumeMount('data', '/data', true)] } }],
    ['a published tcp port', { tcpPublish: [{ port: 8080, protocol: 'tcp', hostPort: 5432 }] }],
    ['a tmpfs', { template: { mounts: [{ kind: 'tmpfs', target: '/t', sizeBytes: null }] } }],
  ] satisfies [string, ServiceOverrides<ServiceSpec>][])('is not needed for %s', (_, more) => {
    expect(shortSteps(update(more, { volumes: true }))).toEqual(['start web.0@m1', '[final]']);
  });

  it('is a plain start the first time', () => {
    const plan = planOf({
      services: [at('a', { template: { mounts: [volumeMount()] } })],
      volumeRows: data,
    });

    expect(shortSteps(plan)).toEqual(['start web.0@m1', '[final]']);
    expect(plan.downtime.class).toBe('none');
  });

  it('prints the worst outage as both ways: forward, and back again', () => {
    const more = { strategy: { kind: 'recreate' }, stopGracePeriodMs: 5_000, deadlineMs: 20_000 } as const;
    const [outage] = update(more).downtime.services;

    expect(outage).toMatchObject({ expectedMs: 3_000, worstMs: 2 * (5_000 + 20_000) });
  });

  it('takes one slot at a time, a checkpoint after each but the last', () => {
    const more = { placement: { replicaCount: 3 }, template: { mounts: [volumeMount()] } };
    const plan = update(more, { volumes: true });

    expect(shortSteps(plan)).toEqual([
      'swap m1 -web.0 +web.0 [checkpoint]',
      'swap m1 -web.1 +web.1 [checkpoint]',
      'swap m1 -web.2 +web.2',
      '[final]',
    ]);
    expect(plan.downtime.class).toBe('none');
  });

  it('recreates everything on a machine at once, without a checkpoint', () => {
    const more = { placement: { replicaCount: 4 }, strategy: { kind: 'recreate' } } as const;
    const plan = planOf({
      services: [at('b', more)],
      machines: [machine(), machine({ name: 'm2' })],
      released: released([at('a', more)], {}, { web: slotRows(at('a', more), { machines: ['m1', 'm2'] }) }),
    });

    expect(shortSteps(plan)).toEqual([
      'swap m1 -web.0 -web.2 +web.0 +web.2; swap m2 -web.1 -web.3 +web.1 +web.3',
      '[final]',
    ]);
    expect(plan.downtime.services).toMatchObject([{ service: 'web' }]);
  });

  it('stops a recreated service before it starts on another machine', () => {
    const more = (name: string): ServiceOverrides<ServiceSpec> => ({
      strategy: { kind: 'recreate' },
      placement: { machines: [name] },
    });
    const plan = planOf({
      services: [at('a', more('m2'))],
      machines: [machine(), machine({ name: 'm2' })],
      released: released([at('a', more('m1'))]),
    });

    expect(shortSteps(plan)).toEqual(['swap m1 -web.0', 'start web.0@m2', '[final]']);
    expect(
      plan.phases
        .flatMap((it) => it.steps)
        .map((it) => it.id)
        .slice(1),
    ).toEqual(['1/swap/m1/web.0', '2/start/web.0']);
    expect(plan.downtime.class).toBe('swap');
  });

  it('hands a port from a removed service to its successor in one swap', () => {
    const plan = planOf({
      services: [at('a', { name: 'new', template: { udpPublish: udp(53) } })],
      released: released([at('a', { name: 'old', template: { udpPublish: udp(53) } })]),
    });

    expect(shortSteps(plan)).toEqual(['swap m1 -old.0 +new.0', '[final]']);
    expect(plan.changes.map((it) => it.kind)).toEqual(['create', 'remove']);
  });

  it('exchanges services that write to one volume together, and whoever waits for them after that', () => {
    const writer = (name: string, version: string) => at(version, { name, template: { mounts: [volumeMount()] } });
    const reader = (version: string) => at(version, { name: 'reader', dependsOn: { b: 'ready' } });
    const plan = planOf({
      services: [writer('a', 'b'), writer('b', 'b'), reader('b')],
      released: released([writer('a', 'a'), writer('b', 'a'), reader('a')]),
      volumeRows: data,
    });

    expect(shortSteps(plan)).toEqual(['swap m1 -a.0 -b.0 +a.0 +b.0', 'start reader.0@m1', '[final]']);
    expect(plan.downtime.services.map((it) => it.service)).toEqual(['a', 'b']);
    expect(plan.warnings).toEqual(['Volume data is written by a.0, b.0 at the same time.']);
  });

  it('names a row that was stopped for another service in no later table', () => {
    const old = at('a', { name: 'old', template: { udpPublish: udp(53) }, placement: { replicaCount: 2 } });
    const young = at('a', { name: 'new', template: { udpPublish: udp(53) }, placement: { replicaCount: 2 } });
    const plan = planOf({
      services: [young],
      machines: [machine(), machine({ name: 'm2' })],
      released: released([old], {}, { old: slotRows(old, { machines: ['m1', 'm2'] }) }),
    });

    expect(shortSteps(plan)).toEqual(['swap m1 -old.0 +new.0 [checkpoint]', 'swap m2 -old.1 +new.1', '[final]']);
    expect(plan.phases.find((it) => it.commit === 'checkpoint')?.slots.map((it) => it.slot)).toEqual([
      'new.0',
      'old.1',
    ]);
  });

  it('takes a tcp port from the host for the gateway, but refuses the way back, where the gateway lets go too late', () => {
    const published = at('a', { name: 'a', tcpPublish: [{ port: 5432, protocol: 'tcp', hostPort: 5432 }] });
    const host = at('a', {
      name: 'b',
      template: { network: 'host' },
      ports: [{ name: 'pg', port: 5432, protocol: 'tcp' }],
    });

    expect(failuresOf({ services: [host], released: released([published]) })).toMatchObject([
      { code: 'PORT_CONFLICT', service: 'b', message: expect.stringContaining('still holds for a') as string },
    ]);
    expect(shortSteps(planOf({ services: [published], released: released([host]) }))[0]).toBe('swap m1 -b.0 +a.0');
  });

  it('starts what moves away from a port together with what takes it, so that no checkpoint names both', () => {
    const leaver = at('a', { name: 'a', placement: { replicaCount: 2 }, template: { udpPublish: udp(53) } });
    const machines = ['m1', 'm2', 'm3', 'm4'].map((name) => machine({ name }));
    const taker = at('a', {
      name: 'b',
      placement: { replicaCount: null, machines: ['m1', 'm2'] },
      strategy: { kind: 'recreate' },
      template: { udpPublish: udp(53) },
    });
    const moved = at('a', {
      name: 'a',
      placement: { replicaCount: 2, machines: ['m3', 'm4'] },
      strategy: { kind: 'recreate' },
    });
    const plan = planOf({
      services: [moved, taker],
      machines,
      released: released([leaver], {}, { a: slotRows(leaver, { machines: ['m1', 'm2'] }) }),
    });

    expect(shortSteps(plan)[0]).toBe('swap m1 -a.0 +b.0; swap m2 -a.1 +b.1; start a.0@m3; start a.1@m4');
  });
});
