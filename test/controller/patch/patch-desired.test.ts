/** Patches of what is live: only what they name changes, and they obey what manifests obey. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { type ServicePatch, servicePatch } from '../../../controller/patch/patch.ts';
import { patchDesired } from '../../../controller/patch/patch-desired.ts';
import { buildPlan } from '../../../controller/plan/build.ts';
import { hasChanges } from '../../../schemas/plan.ts';
import type { Desired, DesiredService, ServiceSpec } from '../../../schemas/service.ts';
import { appliedTo } from '../../builders/plan.ts';
import { desiredService, volumeMount } from '../../builders/service.ts';
import { fleet, inputFor } from '../plan/arbitrary.ts';

function settings(toml = '') {
  const parsed = parseSettings(toml);
  if (parsed.settings === null) throw new Error(JSON.stringify(parsed.problems));
  return parsed.settings;
}

const web = desiredService({
  routes: [{ kind: 'http', hostname: 'shop.test', pathPrefix: '/', port: 8080 }],
  template: { env: { A: '1', B: '2' }, mounts: [volumeMount('data', '/data')], memoryBytes: 2 ** 28 },
});
const db = desiredService({ name: 'db', ports: [] });
const volume = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };
const shop: Desired = { namespace: 'shop', services: [db, web], volumes: [volume] };

function patched(patch: Partial<ServicePatch>, base = shop, toml = ''): Desired {
  const result = patchDesired(base, servicePatch({ service: 'web', ...patch }), settings(toml));
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.desired;
}

function serviceOf(desired: Desired, name = 'web'): DesiredService {
  const found = desired.services.find((it) => it.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

function problemsOf(patch: Partial<ServicePatch>, base = shop, toml = ''): readonly string[] {
  const result = patchDesired(base, servicePatch({ service: 'web', ...patch }), settings(toml));
  return result.ok ? [] : result.problems;
}

describe('a patch of a service that is live', () => {
  it('changes only the fields that it names', () => {
    const cases: readonly [Partial<ServicePatch>, Partial<DesiredService>, Partial<DesiredService['template']>][] = [
      [{ image: 'acme/web:2' }, { imageName: 'acme/web:2' }, {}],
      [{ env: { B: '3', C: '4' } }, {}, { env: { A: '1', B: '3', C: '4' } }],
      [
        { mounts: [{ source: 'more', target: '/more', readonly: true }] },
        {},
        { mounts: [volumeMount('data', '/data'), volumeMount('more', '/more', true)] },
      ],
      [
        { mounts: [{ source: 'more', target: '/data', readonly: false }] },
        {},
        { mounts: [volumeMount('more', '/data')] },
      ],
      [{ restart: 'no' }, {}, { restart: 'no' }],
      [{ replicaCount: 0 }, { placement: { ...web.placement, replicaCount: 0 } }, {}],
    ];
    for (const [patch, service, template] of cases) {
      expect(serviceOf(patched(patch))).toEqual({ ...web, ...service, template: { ...web.template, ...template } });
      expect(serviceOf(patched(patch), 'db')).toBe(db);
    }
  });

  it('publishes ports by host port and protocol', () => {
    const first = patched({ ports: [{ hostPort: 80, port: 8080, protocol: 'tcp' }] });
    const both = patched({ ports: [{ hostPort: 53, port: 53, protocol: 'udp' }] }, first);
    const moved = serviceOf(patched({ ports: [{ hostPort: 80, port: 9090, protocol: 'tcp' }] }, both));
    expect(moved.tcpPublish).toEqual([{ port: 9090, protocol: 'tcp', hostPort: 80 }]);
    expect(moved.template.udpPublish).toEqual([{ port: 53, protocol: 'udp', hostPort: 53 }]);
    expect(moved.ports.map((it) => `${it.name} ${it.port}`)).toEqual(['http 8080', 'tcp-9090 9090', 'udp-53 53']);
    expect(moved.routes).toEqual(web.routes);
  });

  it('adds a hostname to its routes, to the only port there is or the one that is named', () => {
    const routes = (patch: Partial<ServicePatch>) =>
      serviceOf(patched(patch)).routes.map((it) =>
        it.kind === 'http' ? `${it.hostname}${it.pathPrefix} ${it.port}` : '',
      );
    expect(routes({ hostname: 'new.test' })).toEqual(['new.test/ 8080', 'shop.test/ 8080']);
    expect(routes({ hostname: 'new.test', port: 9090 })).toEqual(['new.test/ 9090', 'shop.test/ 8080']);
    expect(routes({ hostname: 'shop.test' })).toEqual(['shop.test/ 8080']);
    expect(routes({ hostname: 'shop.test', port: 9090 })).toEqual(['shop.test/ 9090']);
  });

  it('cannot route a hostname when nobody can tell to which port', () => {
    const ports = [80, 90].map((port) => ({ name: `p${port}`, port, protocol: 'tcp' as const }));
    const several = { ...shop, services: [{ ...web, ports, routes: [] }] };
    expect(problemsOf({ hostname: 'a.test' }, several)).toEqual([
      expect.stringMatching(/which port.*it has 80, 90.*--port/),
    ]);
    expect(problemsOf({ service: 'db', hostname: 'a.test' })).toEqual([expect.stringMatching(/no tcp port.*--port/)]);
  });

  it('declares a volume that is new', () => {
    const { volumes } = patched({ mounts: [{ source: 'more', target: '/more', readonly: false }] });
    expect(volumes).toEqual([volume, { ...volume, name: 'more' }]);
  });
});

describe('a patch of a service that is new', () => {
  const image = 'acme/web:1';
  const empty: Desired = { namespace: 'shop', services: [], volumes: [] };

  it('makes it with the defaults of a manifest, and with a probe of its port', () => {
    const made = serviceOf(
      patched({ image, hostname: 'a.test', ports: [{ hostPort: 80, port: 8080, protocol: 'tcp' }] }, empty),
    );
    expect(made).toMatchObject({
      placement: { replicaCount: 1 },
      readiness: { probe: { kind: 'tcp', port: 8080 } },
      routes: [{ kind: 'http', hostname: 'a.test', pathPrefix: '/', port: 8080 }],
      strategy: { kind: 'rolling' },
      deadlineMs: 120_000,
      template: { restart: 'unless-stopped', network: 'overlay' },
    });
    expect(serviceOf(patched({ image }, empty)).readiness).toBeNull();
  });

  it('wants an image', () => {
    expect(problemsOf({ service: 'wbe' })).toEqual([
      'shop has no service wbe (it has db, web): to make it, say which --image it runs',
    ]);
  });
});

describe('a patch obeys what manifests obey, and says which option does not', () => {
  it.each([
    [
      'a path of the machine',
      { mounts: [{ source: '/etc', target: '/etc', readonly: true }] },
      /^-v: .*\[policy\] bind_mounts/,
    ],
    ['the network of the machine', { network: 'host' }, /^--network: .*\[policy\] host_network/],
    ['an unknown name of [env]', { env: { A: '{{env:NOPE}}' } }, /^-e A: \{\{env:NOPE\}\} is not in \[env\]/],
    ['an image that is none', { image: 'Not An Image' }, /^--image: .* is not an image/],
    ['a hostname in capitals', { hostname: 'SHOP.test' }, /^--host: /],
    ['a port that is none', { ports: [{ hostPort: 99999, port: 80, protocol: 'tcp' as const }] }, /^-p: /],
  ])('%s', (_, patch, message) => {
    expect(problemsOf(patch)).toEqual([expect.stringMatching(message)]);
  });

  it('no network for a service that is reached', () => {
    expect(problemsOf({ network: 'none' })).toEqual([
      '-p: with network = "none" nothing can be reached',
      '--host: with network = "none" nothing can be reached',
    ]);
  });

  it('and what the settings allow or fill', () => {
    const toml = '[env]\nREGION = "eu"\n[policy]\nbind_mounts = ["shop"]\nhost_network = ["shop"]\n';
    const mounts = [{ source: '/etc', target: '/etc', readonly: true }];
    const { template } = serviceOf(patched({ mounts, network: 'host', env: { R: '{{env:REGION}}' } }, shop, toml));
    expect(template).toMatchObject({ network: 'host', env: { A: '1', B: '2', R: 'eu' } });
    expect(template.mounts).toContainEqual({ kind: 'bind', path: '/etc', target: '/etc', readonly: true });
  });

  it('but not for what is live already: policy may have changed since', () => {
    const bound = desiredService({
      template: { mounts: [{ kind: 'bind', path: '/etc', target: '/etc', readonly: true }], network: 'host' },
    });
    const base = { ...shop, services: [bound] };
    expect(serviceOf(patched({ image: 'acme/web:2' }, base))).toEqual({ ...bound, imageName: 'acme/web:2' });
    expect(serviceOf(patched({ hostname: 'a.test' }, base)).template).toEqual(bound.template);
    expect(problemsOf({ ports: [{ hostPort: 80, port: 8080, protocol: 'tcp' }] }, base)).toEqual([
      '-p: with network = "host" the ports of the process are ports of the machine already',
    ]);
  });
});

describe('of any service of any fleet', () => {
  /** The plan of a patch of what is live. */
  function planned(services: readonly ServiceSpec[], patch: ServicePatch) {
    const input = inputFor(services);
    const first = buildPlan(input);
    fc.pre(first.ok);
    if (!first.ok) throw new Error('unreachable');
    const result = patchDesired(input.desired, patch, settings());
    if (!result.ok) throw new Error(result.problems.join('\n'));
    const again = buildPlan({ ...inputFor(services, appliedTo(input, first.plan)), desired: result.desired });
    if (!again.ok) throw new Error(again.failures.map((it) => it.message).join('\n'));
    return { input, desired: result.desired, plan: again.plan };
  }

  const picked = fleet
    .filter((services) => services.length > 0)
    .chain((services) => fc.tuple(fc.constant(services), fc.constantFrom(...services.map((it) => it.name))));

  it('an empty patch plans no change', () => {
    fc.assert(
      fc.property(picked, ([services, service]) => {
        const { input, desired, plan } = planned(services, servicePatch({ service }));
        expect(desired).toEqual(input.desired);
        expect(hasChanges(plan)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  it('a patch changes that service and no other', () => {
    fc.assert(
      fc.property(picked, ([services, service]) => {
        const { plan } = planned(services, servicePatch({ service, env: { PATCHED: '1' } }));
        const changed = plan.changes.filter((it) => it.kind !== 'unchanged').map((it) => it.service);
        expect(changed).toEqual([service]);
      }),
      { numRuns: 100 },
    );
  });
});
