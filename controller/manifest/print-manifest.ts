/**
 * A desired namespace as the manifest that asks for exactly it: the way of resolve.ts back. Pure. What the manifest
 * leaves out is the default, so that people can read it.
 */
import { stringify } from 'smol-toml';
import type { Manifest, ManifestService, ManifestVolume } from '../../schemas/manifest.ts';
import type { ManifestMount } from '../../schemas/manifest-template.ts';
import type { Amount, Desired, DesiredService, Mount, Readiness, VolumeSpec } from '../../schemas/service.ts';

type Out<T> = { [K in keyof T]?: T[K] | undefined };

/** The manifest as a value, and as TOML. */
export function printManifest({ namespace, services, volumes }: Desired): { manifest: Manifest; toml: string } {
  const manifest = compact({
    namespace,
    services: services.map(serviceOf),
    volumes: volumes.length === 0 ? undefined : volumes.map(volumeOf),
  }) as Manifest;
  return { manifest, toml: stringify(manifest) };
}

function serviceOf(service: DesiredService): ManifestService {
  const { placement, template } = service;
  const nameOf = (port: number, protocol: 'tcp' | 'udp' = 'tcp') =>
    service.ports.find((it) => it.port === port && it.protocol === protocol)?.name ??
    service.ports.find((it) => it.port === port)?.name ??
    '';
  return compact({
    name: service.name,
    placement: compact({
      ...(placement.replicaCount === null
        ? { global: true as const }
        : { replicated: { count: placement.replicaCount } }),
      machines: filled(placement.machines),
      labels: filledRecord(placement.labels),
      region: placement.region ?? undefined,
      zone: placement.zone ?? undefined,
    }),
    template: templateOf(service),
    network: template.network === 'overlay' ? undefined : template.network,
    service_ports: filled(
      service.ports.map((it) => ({ name: it.name, container_port: it.port, protocol: it.protocol })),
    ),
    publish: filled(
      [...service.tcpPublish, ...template.udpPublish].map((it) => ({
        service_port: nameOf(it.port, it.protocol),
        host_port: it.hostPort,
      })),
    ),
    routes: filled(service.routes.map((it) => routeOf(it, nameOf))),
    readiness: service.readiness === null ? undefined : readinessOf(service.readiness, nameOf),
    restart: template.restart,
    depends_on: filledRecord(service.dependsOn),
    strategy: service.job ? undefined : strategyOf(service.strategy),
    deadline: duration(service.deadlineMs),
    on_failure: service.onFailure === 'hold' ? undefined : service.onFailure,
    job: service.job ? true : undefined,
  }) as ManifestService;
}

const PULL_POLICIES = { 'if-not-present': undefined, always: 'always', never: 'never' } as const;

function templateOf({
  imageName,
  pullPolicy,
  stopGracePeriodMs,
  template,
}: DesiredService): ManifestService['template'] {
  return compact({
    image: imageName,
    command: template.command ?? undefined,
    entrypoint: template.entrypoint ?? undefined,
    env: filledRecord(template.env),
    mounts: filled(template.mounts.map(mountOf)),
    resources: filledRecord(
      compact({
        cpu_millicores: template.cpuMillicores ?? undefined,
        memory_bytes: template.memoryBytes ?? undefined,
      }),
    ),
    user: template.user ?? undefined,
    cap_add: filled(template.capAdd),
    cap_drop: filled(template.capDrop),
    privileged: template.privileged ? true : undefined,
    sysctls: filledRecord(template.sysctls),
    pid_mode: template.pidMode === 'private' ? undefined : template.pidMode,
    stop_grace_period: duration(stopGracePeriodMs),
    pull_policy: PULL_POLICIES[pullPolicy],
    labels: filledRecord(template.labels),
    log: { max_size: `${template.log.maxSizeBytes}B`, max_files: template.log.maxFiles },
  }) as ManifestService['template'];
}

function mountOf(mount: Mount): ManifestMount {
  const { target } = mount;
  switch (mount.kind) {
    case 'volume':
      return { source: { volume: mount.volume }, target, readonly: mount.readonly };
    case 'bind':
      return { source: { bind: mount.path }, target, readonly: mount.readonly };
    case 'secret':
      return { source: { secret: mount.secret }, target };
    case 'tmpfs':
      return { source: mount.sizeBytes === null ? 'tmpfs' : { tmpfs: { size: `${mount.sizeBytes}B` } }, target };
  }
}

type Route = DesiredService['routes'][number];
type PortName = (port: number) => string;

function routeOf(route: Route, nameOf: PortName): NonNullable<ManifestService['routes']>[number] {
  const service_port = nameOf(route.port);
  if (route.kind === 'tcp') return { tcp: { service_port, listen_port: route.listenPort } };
  const path = route.pathPrefix === '/' ? {} : { path_prefix: route.pathPrefix };
  return { http: { service_port, hostnames: [route.hostname], ...path } };
}

function readinessOf(readiness: Readiness, nameOf: PortName): NonNullable<ManifestService['readiness']> {
  const { probe } = readiness;
  const kinds = {
    http: () => (probe.kind === 'http' ? { http: { service_port: nameOf(probe.port), path: probe.path } } : {}),
    tcp: () => (probe.kind === 'tcp' ? { tcp: { service_port: nameOf(probe.port) } } : {}),
    exec: () => (probe.kind === 'exec' ? { exec: { command: probe.command } } : {}),
  };
  return compact({
    ...kinds[probe.kind](),
    interval: duration(readiness.intervalMs),
    timeout: duration(readiness.timeoutMs),
    retries: readiness.retries,
    start_period: readiness.startPeriodMs === 0 ? undefined : duration(readiness.startPeriodMs),
    liveness_timeout: readiness.livenessTimeoutMs === null ? undefined : duration(readiness.livenessTimeoutMs),
  }) as NonNullable<ManifestService['readiness']>;
}

function strategyOf(strategy: DesiredService['strategy']): ManifestService['strategy'] {
  switch (strategy.kind) {
    case 'recreate':
      return 'recreate';
    case 'blue-green':
      return { blue_green: { hold: duration(strategy.holdMs) } };
    case 'rolling':
      return { rolling: { max_surge: amount(strategy.maxSurge), max_unavailable: amount(strategy.maxUnavailable) } };
  }
}

function volumeOf({ name, mode, owner, preview }: VolumeSpec): ManifestVolume {
  return compact({
    name,
    mode: mode === null ? undefined : mode.toString(8).padStart(4, '0'),
    owner: owner === null ? undefined : `${owner.uid}:${owner.gid}`,
    preview,
  }) as ManifestVolume;
}

function amount(it: Amount): number | string {
  return 'percent' in it ? `${it.percent}%` : it.count;
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function filled<T>(list: readonly T[]): T[] | undefined {
  return list.length === 0 ? undefined : [...list];
}

function filledRecord<T extends object>(record: T): T | undefined {
  return Object.keys(record).length === 0 ? undefined : record;
}

function compact<T extends object>(record: Out<T>): object {
  return Object.fromEntries(Object.entries(record).filter(([, it]) => it !== undefined));
}
