/** Builders for services: a valid record by default, what a case is about as overrides. */
import { DesiredService, type ImageRef, ServiceSpec } from '../../schemas/service.ts';

/** Overrides of a record whose template and placement may be given in part. */
export type ServiceOverrides<T extends { template: object; placement: object }> = Partial<
  Omit<T, 'template' | 'placement'>
> & { readonly template?: Partial<T['template']>; readonly placement?: Partial<T['placement']> };

/** An image pinned by registry digest; `seed` is one hex digit or more, repeated. */
export function image(seed = 'a', repo = 'registry.example/web'): ImageRef {
  return { repo, digest: `sha256:${seed.repeat(64).slice(0, 64)}` };
}

/** A service as a manifest asks for it: one start-first replica behind a port, no routes. */
export function desiredService(overrides: ServiceOverrides<DesiredService> = {}): DesiredService {
  const { template, placement, ...rest } = overrides;
  return DesiredService.parse({
    ...serviceDefaults,
    ...rest,
    placement: { ...placementDefaults, ...placement },
    template: { ...templateDefaults, ...template },
  });
}

/** The same with its image pinned. */
export function serviceSpec(overrides: ServiceOverrides<ServiceSpec> = {}): ServiceSpec {
  const { template, placement, ...rest } = overrides;
  return ServiceSpec.parse({
    ...serviceDefaults,
    ...rest,
    placement: { ...placementDefaults, ...placement },
    template: { image: image(), ...templateDefaults, ...template },
  });
}

/** A writable mount of a volume. */
export function volumeMount(volume = 'data', target = '/data', readonly = false) {
  return { kind: 'volume' as const, volume, target, readonly };
}

const placementDefaults = { replicaCount: 1, machines: [], labels: {}, region: null, zone: null };

const templateDefaults = {
  command: null,
  entrypoint: null,
  env: {},
  mounts: [],
  cpuMillicores: null,
  memoryBytes: null,
  user: null,
  capAdd: [],
  capDrop: [],
  privileged: false,
  sysctls: {},
  pidMode: 'private',
  labels: {},
  log: { maxSizeBytes: 10_485_760, maxFiles: 3 },
  network: 'overlay',
  udpPublish: [],
  restart: 'unless-stopped',
};

const serviceDefaults = {
  name: 'web',
  imageName: 'registry.example/web:1',
  pullPolicy: 'if-not-present',
  ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
  tcpPublish: [],
  routes: [],
  readiness: null,
  dependsOn: {},
  strategy: { kind: 'rolling', maxSurge: { percent: 100 }, maxUnavailable: { count: 0 } },
  stopGracePeriodMs: 10_000,
  deadlineMs: 60_000,
  onFailure: 'hold',
  job: false,
};
