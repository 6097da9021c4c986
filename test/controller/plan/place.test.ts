import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../schemas/plan.ts';
import { machine } from '../../builders/machine.ts';
import { failuresOf, planOf } from '../../builders/plan.ts';
import { planInput, released } from '../../builders/plan-input.ts';
import { release, slotRows } from '../../builders/release.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';

const MiB = 1024 ** 2;
const machines = ['m1', 'm2', 'm3'].map((name) => machine({ name }));
const volumes = [{ name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null }];
const spread = (count: number, more: Parameters<typeof serviceSpec>[0] = {}) =>
  serviceSpec({ ...more, placement: { replicaCount: count, ...more.placement } });

function places(plan: Plan): string[] {
  return (plan.phases.at(-1)?.slots ?? []).map((it) => `${it.slot}@${it.machine}`);
}

function withVolumes(services: Parameters<typeof planInput>[0] & object) {
  const input = planInput(services);
  return { ...services, desired: { ...input.desired, volumes } };
}

describe('placing', () => {
  it('spreads the slots of a service, then all slots, then goes by name', () => {
    const services = [spread(2, { name: 'a' }), spread(2, { name: 'b' })];

    expect(places(planOf({ services, machines }))).toEqual(['a.0@m1', 'a.1@m2', 'b.0@m3', 'b.1@m1']);
  });

  it('counts what other namespaces have, so that small ones do not pile up', () => {
    const others = [release([serviceSpec({ name: 'x' })], { namespace: 'staging' })];

    expect(places(planOf({ services: [spread(1)], machines, others }))).toEqual(['web.0@m2']);
  });

  it('leaves slots where they are, and drops the highest when a service shrinks', () => {
    const old = spread(3);
    const live = released([old], {}, { web: slotRows(old, { machines: ['m3', 'm3', 'm1'] }) });

    expect(places(planOf({ services: [spread(4)], machines, released: live }))).toEqual([
      'web.0@m3',
      'web.1@m3',
      'web.2@m1',
      'web.3@m2',
    ]);
    expect(places(planOf({ services: [spread(1)], machines, released: live }))).toEqual(['web.0@m3']);
  });

  it('moves a slot whose machine the constraints no longer admit, and shows it', () => {
    const old = spread(2);
    const live = released([old], {}, { web: slotRows(old, { machines: ['m1', 'm2'] }) });
    const plan = planOf({ services: [spread(2, { placement: { machines: ['m2', 'm3'] } })], machines, released: live });

    expect(places(plan)).toEqual(['web.0@m3', 'web.1@m2']);
    expect(plan.changes).toMatchObject([
      {
        kind: 'update',
        disruption: 'recreate',
        fields: [
          { path: 'placement.machines', before: 'none', after: 'm2, m3' },
          { path: 'slots.web.0', before: 'on m1', after: 'on m3' },
        ],
      },
    ]);
  });

  it('shows a slot that moves because its machine is gone, though the service is the same', () => {
    const live = released([spread(1)], {}, { web: slotRows(spread(1), { machines: ['gone'] }) });
    const plan = planOf({ services: [spread(1)], machines, released: live });

    expect(plan.changes).toMatchObject([
      { kind: 'update', fields: [{ path: 'slots.web.0', before: 'on gone', after: 'on m1' }] },
    ]);
  });

  it('honours labels, region and zone together', () => {
    const fleet = [
      machine({ name: 'm1', labels: { disk: 'ssd' }, region: 'eu', zone: 'a' }),
      machine({ name: 'm2', labels: { disk: 'ssd' }, region: 'eu', zone: 'b' }),
      machine({ name: 'm3', labels: { disk: 'hdd' }, region: 'eu', zone: 'b' }),
    ];
    const placement = { labels: { disk: 'ssd' }, region: 'eu', zone: 'b' };

    expect(places(planOf({ services: [spread(1, { placement })], machines: fleet }))).toEqual(['web.0@m2']);
    expect(failuresOf({ services: [spread(1, { placement: { ...placement, zone: 'c' } })], machines: fleet })).toEqual([
      {
        code: 'NO_CAPACITY',
        service: 'web',
        message: 'no machine satisfies label disk=ssd, region eu, zone c; the machines are m1, m2, m3',
      },
    ]);
  });

  it('gives a global service a slot on each machine, with indexes that stay', () => {
    const agent = serviceSpec({ name: 'agent', placement: { replicaCount: null } });
    const live = released([agent], {}, { agent: slotRows(agent, { machines: ['m3', 'm1'] }) });
    const plan = planOf({ services: [agent], machines, released: live });

    expect(places(plan)).toEqual(['agent.0@m3', 'agent.1@m1', 'agent.2@m2']);
    expect(plan.changes).toMatchObject([
      { kind: 'update', disruption: 'in-place', fields: [{ path: 'slots.agent.2', after: 'm2' }] },
    ]);
  });

  it('needs no machine for a service without replicas', () => {
    expect(failuresOf({ services: [spread(0)], machines: [] })).toEqual([]);
    expect(failuresOf({ services: [spread(1)], machines: [] })).toMatchObject([
      { message: 'there is no machine to run it on: no machine has joined' },
    ]);
  });
});

describe('memory', () => {
  const small = [machine({ name: 'm1', memoryBytes: 300 * MiB }), machine({ name: 'm2', memoryBytes: 200 * MiB })];
  const hungry = (count: number, mebibytes: number) => spread(count, { template: { memoryBytes: mebibytes * MiB } });

  it('is counted by limits where the machine is known', () => {
    expect(places(planOf({ services: [hungry(3, 100)], machines: small }))).toEqual([
      'web.0@m1',
      'web.1@m2',
      'web.2@m1',
    ]);
    expect(failuresOf({ services: [hungry(4, 150)], machines: small })).toEqual([
      { code: 'NO_CAPACITY', service: 'web', message: 'web.3 may use 150Mi of memory; left by limits: m1 0, m2 50Mi' },
    ]);
  });

  it('never refuses what runs already', () => {
    const live = released([hungry(2, 400)]);

    expect(places(planOf({ services: [hungry(2, 400)], machines: small, released: live }))).toEqual([
      'web.0@m1',
      'web.1@m1',
    ]);
  });

  it('is a warning where the machine is not known', () => {
    expect(planOf({ services: [hungry(1, 100)] }).warnings).toEqual([
      'The memory of m1 is not known now, so whether the limits fit there was not checked.',
    ]);
  });
});

describe('host ports', () => {
  it('keep two slots of a service apart, and are a conflict where there is no room', () => {
    const dns = spread(3, { template: { udpPublish: [{ port: 53, protocol: 'udp', hostPort: 53 }] } });

    expect(places(planOf({ services: [dns], machines }))).toEqual(['web.0@m1', 'web.1@m2', 'web.2@m3']);
    expect(failuresOf({ services: [dns], machines: machines.slice(0, 2) })).toEqual([
      {
        code: 'PORT_CONFLICT',
        service: 'web',
        message: 'web.2 opens udp port 53 on its machine, and another slot already does on each of m1, m2',
      },
    ]);
  });
});

describe('volumes', () => {
  const db = (more: Parameters<typeof serviceSpec>[0] = {}) =>
    spread(1, { name: 'db', ...more, template: { mounts: [volumeMount()], ...more.template } });

  it('are made where the first slot that mounts them goes, and every other one follows', () => {
    const plan = planOf(withVolumes({ services: [spread(2, { name: 'a' }), db(), db({ name: 'e' })], machines }));

    expect(plan.volumeRows).toEqual([{ volume: 'data', machine: 'm1' }]);
    expect(plan.phases[0]?.steps.filter((it) => it.verb === 'volume')).toMatchObject([
      { id: 'prepare/volume/m1/data' },
    ]);
    expect(places(plan).slice(2)).toEqual(['db.0@m1', 'e.0@m1']);
  });

  it('pin the slots that mount them', () => {
    const plan = planOf(withVolumes({ services: [db()], machines, volumeRows: [{ volume: 'data', machine: 'm3' }] }));

    expect(places(plan)).toEqual(['db.0@m3']);
    expect(plan.phases.flatMap((it) => it.steps).map((it) => it.verb)).toEqual(['pull', 'start']);
  });

  it('are never replaced by an empty folder elsewhere', () => {
    const elsewhere = { services: [db({ placement: { machines: ['m1'] } })], machines };

    expect(failuresOf(withVolumes({ ...elsewhere, volumeRows: [{ volume: 'data', machine: 'm3' }] }))).toEqual([
      {
        code: 'VOLUME_PINNED',
        service: 'db',
        message:
          'volume data lies on m3, which its placement does not admit; move the data first: slipway volume migrate production/data',
      },
    ]);
    expect(
      failuresOf(withVolumes({ services: [db()], machines, volumeRows: [{ volume: 'data', machine: 'gone' }] })),
    ).toMatchObject([
      { code: 'VOLUME_PINNED', message: expect.stringContaining('gone, which is not a machine') as string },
    ]);
  });

  it('cannot be mounted together from two machines, nor on every machine', () => {
    const both = db({ template: { mounts: [volumeMount('data'), volumeMount('more', '/more')] } });
    const rows = [
      { volume: 'data', machine: 'm1' },
      { volume: 'more', machine: 'm2' },
    ];

    expect(failuresOf(withVolumes({ services: [both], machines, volumeRows: rows }))).toMatchObject([
      { code: 'VOLUME_PINNED' },
    ]);
    expect(failuresOf(withVolumes({ services: [db({ placement: { replicaCount: null } })], machines }))).toMatchObject([
      { code: 'VOLUME_PINNED' },
    ]);
    expect(
      failuresOf(
        withVolumes({ services: [db({ placement: { replicaCount: null } })], machines: machines.slice(0, 1) }),
      ),
    ).toEqual([]);
  });

  it('bring jobs to their machine', () => {
    const job = serviceSpec({ name: 'seed', job: true, template: { mounts: [volumeMount()] } });
    const plan = planOf(
      withVolumes({ services: [job, db()], machines, volumeRows: [{ volume: 'data', machine: 'm2' }] }),
    );

    expect(plan.phases.flatMap((it) => it.steps).find((it) => it.verb === 'job')?.machine).toBe('m2');
  });

  it('stay in the record when nothing mounts them any more', () => {
    const plan = planOf({ services: [], released: released([db()]), volumeRows: [{ volume: 'data', machine: 'm1' }] });

    expect(plan.volumeRows).toEqual([{ volume: 'data', machine: 'm1' }]);
  });
});

describe('failures', () => {
  it('come all at once, each with its service', () => {
    const http = (hostname: string) => [{ kind: 'http' as const, hostname, pathPrefix: '/', port: 8080 }];
    const services = [
      serviceSpec({ name: 'a', placement: { region: 'mars' } }),
      serviceSpec({ name: 'b', routes: http('taken.example') }),
      serviceSpec({ name: 'c', tcpPublish: [{ port: 8080, protocol: 'tcp', hostPort: 80 }] }),
      serviceSpec({ name: 'd', template: { image: image() } }),
    ];
    const others = [release([serviceSpec({ name: 'shop', routes: http('taken.example') })], { namespace: 'staging' })];
    const input = planInput({ services, others });
    const { d: _, ...images } = input.images;

    expect(failuresOf({ ...input, images }).map((it) => `${it.service} ${it.code} ${it.message}`)).toEqual([
      'a NO_CAPACITY no machine satisfies region mars; the machines are m1',
      'b ROUTE_CONFLICT taken.example/ belongs to staging/shop',
      'c PORT_CONFLICT tcp port 80 belongs to slipway/gateway',
      expect.stringMatching(/^d IMAGE_NOT_FOUND image "registry.example\/web:1" was found neither/),
    ]);
  });
});
