import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ForkArgs, forkDesired } from '../../../controller/fork/fork.ts';
import { hostnameOf, patternProblem } from '../../../controller/fork/hostnames.ts';
import { DEFAULT_MODES } from '../../../controller/fork/modes.ts';
import { imageSource } from '../../../controller/fork/registries.ts';
import type { DesiredService } from '../../../schemas/service.ts';
import { released } from '../../builders/plan-input.ts';
import { desiredService, image, serviceSpec, volumeMount } from '../../builders/service.ts';
import { settingsOf } from '../manifest/fleet.ts';

const HOST = '{service}-pr-{number}.preview.acme.dev';
const settings = (more = '') =>
  settingsOf(`[images]\nregistries = ["registry.example"]\n[previews]\nhost = "${HOST}"\n${more}`);
const http = (hostname: string, pathPrefix = '/') => ({ kind: 'http' as const, hostname, pathPrefix, port: 8080 });
const VOLUME = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };

function fork(services: readonly DesiredService[], over: Partial<ForkArgs> = {}) {
  return forkDesired({
    source: { namespace: 'staging', services: [...services], volumes: [VOLUME] },
    seed: null,
    released: null,
    namespace: 'pr-7',
    number: 7,
    modes: DEFAULT_MODES,
    settings: settings(),
    ...over,
  });
}

/** The fork; fails with its problems when there is none. */
function made(...args: Parameters<typeof fork>) {
  const result = fork(...args);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result;
}

describe('a fork', () => {
  it('takes no image from a lock: in a pull request it could name one of any registry', () => {
    const { desired } = made([desiredService({ lockedImage: image('e') })]);
    expect(desired.services[0]).not.toHaveProperty('lockedImage');
  });

  it('has hostnames of the pattern instead of those of its source', () => {
    const { desired } = made([desiredService({ routes: [http('shop.acme.dev'), http('shop.acme.dev', '/api')] })]);

    expect(desired.namespace).toBe('pr-7');
    expect(desired.services[0]?.routes).toEqual([
      http('web-pr-7.preview.acme.dev'),
      http('web-pr-7.preview.acme.dev', '/api'),
    ]);
  });

  it('keeps several hostnames of a service apart', () => {
    const [web] = made([desiredService({ routes: [http('b.acme.dev'), http('a.acme.dev')] })]).desired.services;
    const names = web?.routes.map((it) => (it.kind === 'http' ? it.hostname : ''));

    expect(new Set(names).size).toBe(2);
    expect(names?.[1]).toBe('web-pr-7.preview.acme.dev');
  });

  it('can never claim a hostname outside the pattern, nor one that is not a hostname', () => {
    const name = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/);
    const pairs = fc.record({
      names: fc.uniqueArray(name, { maxLength: 4 }),
      hosts: fc.array(fc.domain(), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(pairs, ({ names, hosts }) => {
        const services = names.map((it) => desiredService({ name: it, routes: hosts.map((host) => http(host)) }));
        if (services.length === 0) return;
        const routes = made(services).desired.services.flatMap((it) => it.routes);
        const hostnames = routes.map((it) => (it.kind === 'http' ? it.hostname : ''));
        for (const it of hostnames) {
          expect(it).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?-pr-7\.preview\.acme\.dev$/);
          expect(it.split('.').every((label) => label.length <= 63)).toBe(true);
        }
        expect(new Set(hostnames).size).toBe(names.length * new Set(hosts).size);
      }),
    );
  });

  it.each([
    ['', 'is not set'],
    ['{service}.preview.acme.dev', 'neither {number} nor {name}'],
    ['{service}-{branch}-{number}.acme.dev', '{branch}, which means nothing'],
    ['{service} {number}.acme.dev', 'not a hostname'],
    [`{service}-{number}${'x'.repeat(60)}.dev`, 'not a hostname'],
  ])('refuses the pattern %s', (pattern, why) => {
    expect(patternProblem({ pattern, namespace: 'pr-7', number: 7 })).toContain(why);
    const result = fork([desiredService({ routes: [http('a.dev')] })], {
      settings: { ...settings(), previews: { ...settings().previews, host: pattern } },
    });
    expect(result).toMatchObject({ ok: false, code: 'PULL_REFUSED' });
  });

  it('puts the service before a pattern that does not say where it goes', () => {
    expect(hostnameOf({ pattern: 'pr-{number}.acme.dev', namespace: 'x', number: 7 }, 'my_web', 0)).toMatch(
      /^my-web-[0-9a-z]{6}-pr-7\.acme\.dev$/,
    );
    expect(hostnameOf({ pattern: '{service}-{number}.acme.dev', namespace: 'try_it', number: null }, 'web', 0)).toMatch(
      /^web-try-it-[0-9a-z]{6}\.acme\.dev$/,
    );
  });

  it('has no ports of machines, and says so', () => {
    const db = desiredService({
      name: 'db',
      tcpPublish: [{ port: 5432, protocol: 'tcp', hostPort: 5432 }],
      routes: [{ kind: 'tcp', listenPort: 5433, port: 5432 }],
      template: { udpPublish: [{ port: 53, protocol: 'udp', hostPort: 53 }] },
    });
    const result = made([db]);

    expect(result.desired.services[0]).toMatchObject({ tcpPublish: [], routes: [], template: { udpPublish: [] } });
    expect(result.notes).toEqual(['db has no port of its machine here: forks get hostnames only.']);
  });

  it.each([
    [
      { mounts: [{ kind: 'bind' as const, path: '/etc', target: '/etc', readonly: true }] },
      'mounts the path "/etc" of its machine',
    ],
    [{ network: 'host' as const }, 'uses the network of its machine'],
    [{ pidMode: 'host' as const }, 'sees all processes of its machine'],
    [{ privileged: true }, 'is privileged'],
    [{ capAdd: ['NET_ADMIN'] }, 'adds capabilities (NET_ADMIN)'],
    [{ mounts: [volumeMount('theirs')] }, 'mounts volume theirs, which is not one of this namespace'],
  ])('refuses what reaches its machine or its neighbours: %j', (template, why) => {
    const result = fork([desiredService({ template })]);
    expect(result).toMatchObject({ problems: [`web ${why}; forks may not`] });
    expect(result).toMatchObject({ ok: false, code: 'PULL_REFUSED' });
  });

  it('takes the image that its source runs, only while the image string is the very same', () => {
    const live = released([
      serviceSpec({ template: { image: image('b') } }),
      serviceSpec({ name: 'api', imageName: 'registry.example/api:1' }),
    ]);
    const services = [desiredService(), desiredService({ name: 'api', imageName: 'registry.example/api:2' })];
    const result = made(services, { released: live });

    expect(result.images).toEqual({ web: image('b') });
    expect(result.forkedFrom).toEqual({ namespace: live.release.namespace, n: live.release.n });
  });

  it('asks no registry but the listed ones', () => {
    const listed = ['ghcr.io/acme'];
    const of = (imageName: string) => imageSource({ imageName }, undefined, listed);

    expect(of('ghcr.io/acme/web:1')).toBe('registry');
    expect(of('ghcr.io/acme-evil/web:1')).toBe('refused');
    expect(of('169.254.169.254:80/x')).toBe('refused');
    expect(of('shop:2')).toBe('machine');
    expect(imageSource({ imageName: 'nginx:1' }, undefined, ['docker.io'])).toBe('registry');
    expect(imageSource({ imageName: 'nginx:1' }, undefined, ['docker.io/library'])).toBe('registry');
    expect(imageSource({ imageName: 'docker.io/nginx' }, undefined, ['docker.io/library/nginx'])).toBe('registry');
    expect(imageSource({ imageName: 'evil/web:1' }, undefined, ['docker.io/library'])).toBe('machine');
    // Docker takes a name with a capital letter for a host of its own.
    expect(imageSource({ imageName: 'EVIL/web:1' }, undefined, ['docker.io'])).toBe('refused');
    expect(of('GHCR.IO/acme/web:1')).toBe('registry');
    expect(of('ghcr.io/acme')).toBe('registry');
    expect(of('ghcr.io/acme@evil.example/x')).toBe('refused');
    expect(of('ghcr.io/Acme/web:1')).toBe('refused');
    expect(fork([desiredService({ imageName: 'evil.example/x:1' })])).toMatchObject({ ok: false });
    expect(made([desiredService({ imageName: 'shop:2', pullPolicy: 'always' })]).desired.services[0]?.pullPolicy).toBe(
      'never',
    );
  });

  it('has the volumes that it mounts, empty ones, and says what branching them needs', () => {
    const web = desiredService({ template: { mounts: [volumeMount()] } });

    expect(made([web]).desired.volumes).toEqual([VOLUME]);
    expect(made([desiredService()]).desired.volumes).toEqual([]);
    const branched = { ...DEFAULT_MODES, volumes: { data: 'branch' as const } };
    expect(fork([web], { modes: branched })).toMatchObject({ ok: false, code: 'NOT_SUPPORTED' });
    const manifest = { namespace: 'staging', services: [web], volumes: [{ ...VOLUME, preview: 'branch' as const }] };
    expect(fork([web], { source: manifest })).toMatchObject({ ok: false, code: 'NOT_SUPPORTED' });
    expect(made([web], { source: manifest, modes: { ...DEFAULT_MODES, volume: 'fresh' } }).desired.volumes).toEqual([
      VOLUME,
    ]);
  });

  it('leaves out what is skipped, and nobody waits for it', () => {
    const services = [desiredService({ dependsOn: { api: 'ready' } }), desiredService({ name: 'api' })];
    const result = made(services, { modes: { ...DEFAULT_MODES, services: { api: 'skip' } } });

    expect(result.desired.services).toMatchObject([{ name: 'web', dependsOn: {} }]);
    expect(result.notes).toEqual(['Left out: api.']);
    expect(fork(services, { modes: { ...DEFAULT_MODES, services: { apy: 'skip' } } })).toMatchObject({
      problems: ['the source has no service apy: it has web, api'],
    });
  });

  it('runs the seed job before everything that the seed does not need itself', () => {
    const services = [
      desiredService(),
      desiredService({ name: 'db', dependsOn: { cache: 'started' } }),
      desiredService({ name: 'cache' }),
    ];
    const seed = desiredService({ name: 'seed', job: true, dependsOn: { db: 'ready' } });
    const dependsOn = Object.fromEntries(
      made(services, { seed }).desired.services.map((it) => [it.name, it.dependsOn]),
    );

    expect(dependsOn).toEqual({
      web: { seed: 'completed' },
      db: { cache: 'started' },
      cache: {},
      seed: { db: 'ready' },
    });
  });

  it('has no more services than the settings allow', () => {
    const services = ['a', 'b', 'c'].map((name) => desiredService({ name }));
    expect(fork(services, { settings: settings('max_services = 2\n') })).toMatchObject({
      ok: false,
      problems: ['it would have 3 services; [previews] max_services allows 2'],
    });
  });
});
