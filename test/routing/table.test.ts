/** Routing tables from releases and reports. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routingTable } from '../../routing/table.ts';
import { InstanceState } from '../../schemas/observed.ts';
import { httpRoute, live, report, serviceSpec, slotRow } from './builders.ts';

const machine = 'm1';
const web = serviceSpec('web', { routes: [httpRoute('a.test')] });
const NEXT = 'd000000000000002';

describe('which instances answer', () => {
  it('the ready instance that the released row names, called by the first twelve characters of its container', () => {
    const serving = report('prod', slotRow(web));
    const table = routingTable({ releases: [live('prod', [web])], reports: [serving], machine });
    expect(table.backends).toEqual([
      {
        key: 'prod/web/8080',
        endpoints: [{ id: serving.containerId.slice(0, 12), address: serving.address, port: 8080 }],
      },
    ]);
    expect(table.http).toEqual([{ host: 'a.test', pathPrefix: '/', backend: 'prod/web/8080' }]);
  });

  it.each(InstanceState.options.filter((it) => it !== 'ready'))(
    'a %s one does not, and its route answers 503',
    (state) => {
      const table = routingTable({
        releases: [live('prod', [web])],
        reports: [report('prod', slotRow(web), { state })],
        machine,
      });
      expect(table.backends).toEqual([{ key: 'prod/web/8080', endpoints: [] }]);
      expect(table.http).toHaveLength(1);
    },
  );

  it.each([
    ['of another deploy', { deploy: NEXT }],
    ['of another template', { template: 'f'.repeat(64) }],
    ['of another slot', { slot: 'web.7' }],
    ['of another namespace', { namespace: 'staging' }],
    ['of another service', { service: 'api' }],
    ['without an address', { address: null }],
  ])('a candidate %s does not', (_, over) => {
    const reports = [report('prod', slotRow(web), over)];
    expect(routingTable({ releases: [live('prod', [web])], reports, machine }).backends[0]?.endpoints).toEqual([]);
  });

  it('what a swap put in the place serves while the released one does not, and only then', () => {
    const released = report('prod', slotRow(web));
    const swapped = report('prod', slotRow(web, 0, { deploy: NEXT }), { viaSwap: true });
    const ids = (...reports: (typeof released)[]) =>
      routingTable({ releases: [live('prod', [web])], reports, machine }).backends[0]?.endpoints.map((it) => it.id);
    expect(ids(released, swapped)).toEqual([released.containerId.slice(0, 12)]);
    expect(ids({ ...released, state: 'exited' }, swapped)).toEqual([swapped.containerId.slice(0, 12)]);
    expect(ids({ ...released, state: 'exited' }, { ...swapped, state: 'starting' })).toEqual([]);
  });

  it('between checkpoints each slot is reached at the port that its own spec gives the name', () => {
    const old = serviceSpec('web', { ports: [{ name: 'http', port: 8080, protocol: 'tcp' }] }, { V: '1' });
    const fresh = serviceSpec(
      'web',
      { ports: [{ name: 'http', port: 9090, protocol: 'tcp' }], routes: [httpRoute('a.test', '/', 9090)] },
      { V: '2' },
    );
    const rows = [slotRow(fresh, 0, { deploy: NEXT }), slotRow(old, 1)];
    const reports = rows.map((it) => report('prod', it));
    const table = routingTable({ releases: [live('prod', [fresh], rows, [old])], reports, machine });
    expect(
      table.backends.map((it) => [it.key, it.endpoints.map((endpoint) => endpoint.port).toSorted((a, b) => a - b)]),
    ).toEqual([['prod/web/9090', [8080, 9090]]]);
  });

  it('the loopback of another machine is nobody', () => {
    const host = serviceSpec('web', { routes: [httpRoute('a.test')] });
    const rows = [slotRow(host, 0), slotRow(host, 1, { machine: 'm2' })];
    const reports = rows.map((it) => report('prod', it, { address: '127.0.0.1' }));
    const ids = routingTable({ releases: [live('prod', [host], rows)], reports, machine }).backends[0]?.endpoints;
    expect(ids?.map((it) => it.id)).toEqual([reports[0]?.containerId.slice(0, 12)]);
  });
});

describe('ports', () => {
  const db = serviceSpec('db', {
    ports: [{ name: 'pg', port: 5432, protocol: 'tcp' }],
    routes: [{ kind: 'tcp', listenPort: 15432, port: 5432 }],
    tcpPublish: [{ port: 5432, protocol: 'tcp', hostPort: 25432 }],
  });

  it('a listen port is on every machine, a published one where the service has a slot', () => {
    const releases = [live('prod', [db])];
    const ports = (it: string) => routingTable({ releases, reports: [], machine: it }).tcp.map((row) => row.listenPort);
    expect(ports('m1')).toEqual([15432, 25432]);
    expect(ports('m2')).toEqual([15432]);
  });

  it('a published port leads to the slots of its own machine only', () => {
    const rows = [slotRow(db, 0), slotRow(db, 1, { machine: 'm2' })];
    const reports = rows.map((it) => report('prod', it));
    const table = routingTable({ releases: [live('prod', [db], rows)], reports, machine });
    const endpointsOf = (port: number) => {
      const key = table.tcp.find((it) => it.listenPort === port)?.backend;
      return table.backends.find((it) => it.key === key)?.endpoints.map((it) => it.id);
    };
    expect(endpointsOf(15432)).toHaveLength(2);
    expect(endpointsOf(25432)).toEqual([reports[0]?.containerId.slice(0, 12)]);
  });
});

it('a service without a slot has no routes: clients are told that there is nothing, not to come back later', () => {
  const stopped = serviceSpec('web', {
    routes: [httpRoute('a.test'), { kind: 'tcp', listenPort: 7000, port: 8080 }],
    tcpPublish: [{ port: 8080, protocol: 'tcp', hostPort: 8000 }],
  });
  const reports = [report('prod', slotRow(stopped))];
  const table = routingTable({ releases: [live('prod', [stopped], [])], reports, machine });
  expect([table.http, table.tcp, table.backends]).toEqual([[], [], []]);
});

it('jobs have no routes and no names', () => {
  const job = serviceSpec('migrate', { job: true, routes: [httpRoute('a.test')] });
  const reports = [report('prod', slotRow(job))];
  const table = routingTable({ releases: [live('prod', [job], [])], reports, machine });
  expect([table.http, table.backends, table.names]).toEqual([[], [], []]);
});

it('hosts are lower case without a final dot, paths without a final slash', () => {
  const it1 = serviceSpec('web', { routes: [httpRoute('A.Test.', '/Api/')] });
  expect(routingTable({ releases: [live('prod', [it1])], reports: [], machine }).http).toEqual([
    { host: 'a.test', pathPrefix: '/Api', backend: 'prod/web/8080' },
  ]);
});

it('of two that claim one host and path, the same one has it whatever the order', () => {
  const releases = [live('b', [web]), live('a', [web])];
  const tables = [releases, releases.toReversed()].map((it) => routingTable({ releases: it, reports: [], machine }));
  expect(tables[0]).toEqual(tables[1]);
  expect(tables[0]?.http).toEqual([{ host: 'a.test', pathPrefix: '/', backend: 'a/web/8080' }]);
  expect(tables[0]?.backends.map((it) => it.key)).toEqual(['a/web/8080']);
});

describe('names', () => {
  it('a released service answers with its ready released instances, and is known without any', () => {
    const row = slotRow(web);
    const ready = report('prod', row, { address: '10.210.1.9' });
    const candidate = report('prod', slotRow(web, 0, { deploy: NEXT }), { address: '10.210.1.8' });
    const names = (...reports: (typeof ready)[]) =>
      routingTable({ releases: [live('prod', [web])], reports, machine }).names;
    expect(names(ready, candidate)).toEqual([{ namespace: 'prod', service: 'web', addresses: ['10.210.1.9'] }]);
    expect(names(candidate)).toEqual([{ namespace: 'prod', service: 'web', addresses: [] }]);
  });

  it('a service that was never released is resolvable as soon as a candidate is ready', () => {
    const db = serviceSpec('db');
    const candidate = report('prod', slotRow(db, 0, { deploy: NEXT }), { address: '10.210.1.7' });
    const row = { namespace: 'prod', service: 'db', addresses: ['10.210.1.7'] };
    expect(routingTable({ releases: [], reports: [candidate], machine }).names).toEqual([row]);
    expect(routingTable({ releases: [live('prod', [web])], reports: [candidate], machine }).names[0]).toEqual(row);
    const starting = { ...candidate, state: 'starting' as const };
    expect(routingTable({ releases: [], reports: [starting], machine }).names).toEqual([]);
  });

  it('services of the host network have none', () => {
    const host = serviceSpec('web', { template: { ...web.template, network: 'host' } });
    const reports = [report('prod', slotRow(host), { address: '127.0.0.1' })];
    expect(routingTable({ releases: [live('prod', [host])], reports, machine }).names).toEqual([]);
  });
});

describe('members', () => {
  const row = slotRow(web);

  it('every address on a bridge, in whatever state its instance is', () => {
    const reports = InstanceState.options.map((state, i) =>
      report('prod', row, { state, address: `10.210.1.${i + 2}` }),
    );
    expect(routingTable({ releases: [], reports, machine }).members).toHaveLength(reports.length);
  });

  it('an address that an exited container had belongs to its new holder', () => {
    const address = '10.210.1.5';
    const reports = [report('prod', row, { address, state: 'exited' }), report('pr-1', row, { address })];
    expect(routingTable({ releases: [], reports, machine }).members).toEqual([{ address, namespace: 'pr-1' }]);
  });
});

it('the order of releases, slots and reports changes nothing', () => {
  const specs = ['web', 'api', 'db'].map((name) =>
    serviceSpec(name, { routes: [httpRoute(`${name}.test`), { kind: 'tcp', listenPort: 7000, port: 8080 }] }),
  );
  const namespaces = ['prod', 'staging', 'pr-1'];
  const rows = specs.flatMap((spec) => [0, 1, 2].map((index) => slotRow(spec, index)));
  const reports = namespaces.flatMap((namespace) =>
    rows.flatMap((row, i) => [
      report(namespace, row, { state: i % 2 === 0 ? 'ready' : 'unready' }),
      report(namespace, { ...row, deploy: NEXT }, { viaSwap: i % 3 === 0 }),
    ]),
  );
  const releases = namespaces.slice(0, 2).map((it) => live(it, specs, rows));
  const expected = JSON.stringify(routingTable({ releases, reports, machine }));
  const shuffled = <T>(list: readonly T[]) => fc.shuffledSubarray([...list], { minLength: list.length });
  fc.assert(
    fc.property(shuffled(reports), shuffled(releases), shuffled(rows), (someReports, someReleases, someRows) => {
      const again = someReleases.map((it) => ({ ...it, release: { ...it.release, slots: someRows } }));
      expect(JSON.stringify(routingTable({ releases: again, reports: someReports, machine }))).toBe(expected);
    }),
    { numRuns: 40 },
  );
});
