import { describe, expect, it } from 'vitest';
import { compareSpecs } from '../../../controller/plan/diff.ts';
import type { SERVICE_FIELDS, TEMPLATE_FIELDS } from '../../../controller/plan/fields.ts';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { planOf } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { image, type ServiceOverrides, serviceSpec, volumeMount } from '../../builders/service.ts';

type Case = readonly [overrides: ServiceOverrides<ServiceSpec>, fields: readonly string[]];

/** One case for each row of the table; a row without one does not compile. */
const SERVICE_CASES = {
  imageName: [{ imageName: 'web:2' }, ['image: registry.example/web:1 → web:2']],
  pullPolicy: [{ pullPolicy: 'always' }, ['pull_policy: if_not_present → always']],
  placement: [{ placement: { replicaCount: 3 } }, ['placement.count: 1 → 3']],
  ports: [{ ports: [] }, ['service_ports: http tcp 8080 → none']],
  tcpPublish: [
    { tcpPublish: [{ port: 8080, protocol: 'tcp', hostPort: 90 }] },
    ['publish (tcp): none → tcp 90 to 8080'],
  ],
  routes: [
    { routes: [{ kind: 'http', hostname: 'a.example', pathPrefix: '/', port: 8080 }] },
    ['routes: none → http a.example/ to 8080'],
  ],
  readiness: [
    {
      readiness: {
        probe: { kind: 'http', port: 8080, path: '/up' },
        intervalMs: 2000,
        timeoutMs: 1000,
        retries: 3,
        startPeriodMs: 90_000,
        livenessTimeoutMs: null,
      },
    },
    ['readiness: none → http :8080/up, interval 2s, timeout 1s, retries 3, start_period 90s, liveness_timeout never'],
  ],
  dependsOn: [{ dependsOn: { db: 'ready' } }, ['depends_on.db: none → ready']],
  strategy: [
    { strategy: { kind: 'blue-green', holdMs: 60_000 } },
    ['strategy: rolling, max_surge 100%, max_unavailable 0 → blue_green, hold 1m'],
  ],
  stopGracePeriodMs: [{ stopGracePeriodMs: 1500 }, ['stop_grace_period: 10s → 1500ms']],
  deadlineMs: [{ deadlineMs: 3_600_000 }, ['deadline: 1m → 1h']],
  onFailure: [{ onFailure: 'revert' }, ['on_failure: hold → revert']],
  job: [{ job: true }, ['job: false → true']],
} as const satisfies Record<keyof typeof SERVICE_FIELDS, Case>;

const TEMPLATE_CASES = {
  image: [
    { template: { image: image('b') } },
    [`image digest: registry.example/web@sha256:${'a'.repeat(64)} → registry.example/web@sha256:${'b'.repeat(64)}`],
  ],
  command: [{ template: { command: ['a', 'b c'] } }, ['command: none → ["a","b c"]']],
  entrypoint: [{ template: { entrypoint: [] } }, ['entrypoint: none → []']],
  env: [{ template: { env: { A: '1', B: '' } } }, ['env.A: none → "1"', 'env.B: none → ""']],
  mounts: [{ template: { mounts: [volumeMount()] } }, ['mounts: none → volume data at /data']],
  cpuMillicores: [{ template: { cpuMillicores: 500 } }, ['resources.cpu: none → 500m']],
  memoryBytes: [{ template: { memoryBytes: 268_435_456 } }, ['resources.memory: none → 256Mi']],
  user: [{ template: { user: '1000' } }, ['user: none → 1000']],
  capAdd: [{ template: { capAdd: ['NET_ADMIN'] } }, ['cap_add: none → NET_ADMIN']],
  capDrop: [{ template: { capDrop: ['ALL'] } }, ['cap_drop: none → ALL']],
  privileged: [{ template: { privileged: true } }, ['privileged: false → true']],
  sysctls: [{ template: { sysctls: { 'net.core.somaxconn': '1' } } }, ['sysctls.net.core.somaxconn: none → "1"']],
  pidMode: [{ template: { pidMode: 'host' } }, ['pid_mode: private → host']],
  labels: [{ template: { labels: { a: 'b' } } }, ['labels.a: none → "b"']],
  log: [{ template: { log: { maxSizeBytes: 1024, maxFiles: 1 } } }, ['log: 3 files of 10Mi → 1 files of 1Ki']],
  network: [{ template: { network: 'none' } }, ['network: overlay → none']],
  udpPublish: [
    { template: { udpPublish: [{ port: 53, protocol: 'udp', hostPort: 53 }] } },
    ['publish (udp): none → udp 53 to 53'],
  ],
  restart: [{ template: { restart: 'no' } }, ['restart: unless-stopped → no']],
  secrets: [{ template: { secrets: { key: 2 } } }, ['secrets.key: none → version 2']],
} as const satisfies Record<keyof typeof TEMPLATE_FIELDS, Case>;

function differences(overrides: ServiceOverrides<ServiceSpec>) {
  const { fields, disruption } = compareSpecs(serviceSpec(), serviceSpec(overrides));
  return { disruption, fields: fields.map((it) => `${it.path}: ${it.before} → ${it.after}`) };
}

describe('the cost table', () => {
  it.each(Object.entries(SERVICE_CASES))('changes %s in place', (_, [overrides, fields]) => {
    expect(differences(overrides)).toEqual({ disruption: 'in-place', fields });
  });

  it.each(Object.entries(TEMPLATE_CASES))('replaces the instances for another %s', (_, [overrides, fields]) => {
    expect(differences(overrides)).toEqual({ disruption: 'recreate', fields });
  });
});

describe('diff', () => {
  it('is in order of name and says what happens to each service', () => {
    const plan = planOf({
      services: [serviceSpec({ name: 'b' }), serviceSpec({ name: 'c', deadlineMs: 1 }), serviceSpec({ name: 'a' })],
      released: released([serviceSpec({ name: 'd' }), serviceSpec({ name: 'c' }), serviceSpec({ name: 'b' })]),
    });

    expect(plan.changes.map((it) => `${it.kind} ${it.service}`)).toEqual([
      'create a',
      'unchanged b',
      'update c',
      'remove d',
    ]);
  });

  it('shows the keys of the environment that differ, and only those', () => {
    const env = (it: Record<string, string>) => serviceSpec({ template: { env: it } });
    const { fields } = compareSpecs(env({ SAME: 'x', OLD: 'y', MOVED: '1' }), env({ SAME: 'x', NEW: 'y', MOVED: '2' }));

    expect(fields).toEqual([
      { path: 'env.MOVED', before: '"1"', after: '"2"' },
      { path: 'env.NEW', before: 'none', after: '"y"' },
      { path: 'env.OLD', before: '"y"', after: 'none' },
    ]);
  });

  it('is not confused by keys that objects have by themselves', () => {
    const { fields } = compareSpecs(
      serviceSpec(),
      serviceSpec({ template: { env: { constructor: 'x', toString: 'y' } } }),
    );

    expect(fields.map((it) => `${it.path} ${it.before}`)).toEqual(['env.constructor none', 'env.toString none']);
  });

  it('cuts long values, and still says that they differ', () => {
    const env = (end: string) =>
      serviceSpec({ template: { env: { SAME: '1', LONG: `${'x'.repeat(100_000)}${end}` } } });
    const { fields } = compareSpecs(env('a'), env('b'));

    expect(fields).toHaveLength(1);
    expect(fields[0]?.after.length).toBeLessThan(300);
  });

  it('takes a pulled digest for a change of the image', () => {
    const always = (version: string) => serviceSpec({ pullPolicy: 'always', template: { image: image(version) } });
    const plan = planOf({ services: [always('b')], released: released([always('a')]) });

    expect(plan.changes).toMatchObject([{ disruption: 'recreate', fields: [{ path: 'image digest' }] }]);
  });

  it('sees slots that a checkpoint left behind, though the service is the same', () => {
    const young = serviceSpec({ placement: { replicaCount: 2 } });
    const old = serviceSpec({ placement: { replicaCount: 2 }, template: { image: image('b') } });
    const live = released([young, { ...old, name: 'other' }]);
    const [first, second] = live.release.slots;
    const [older] = released([old]).release.slots;
    const mixed = {
      ...live.release,
      services: { web: first?.spec ?? '' },
      slots: [first, { ...second, ...older, slot: 'web.1' }],
    };
    const specs = new Map([...live.specs, ...released([old]).specs]);
    const plan = planOf({ services: [young], released: { release: mixed as typeof live.release, specs } });

    expect(plan.changes).toEqual([
      {
        kind: 'update',
        service: 'web',
        disruption: 'recreate',
        fields: [{ path: 'slots.web.1', before: 'on m1', after: 'replaced' }],
      },
    ]);
  });
});
