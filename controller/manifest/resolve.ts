/**
 * A manifest that has no problems → what is desired: snake_case becomes camelCase, texts become numbers with units,
 * defaults are filled in. Pure; the same whatever the order of files, services and keys.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { ManifestService, ManifestVolume } from '../../schemas/manifest.ts';
import type { Digest } from '../../schemas/names.ts';
import type {
  Desired,
  DesiredService,
  Placement,
  Readiness,
  Route,
  Strategy,
  VolumeSpec,
} from '../../schemas/service.ts';
import { isGlobal } from './check-container.ts';
import { normalPathPrefix } from './claims.ts';
import { amountOf, durationMs, octalMode } from './quantities.ts';
import { publishedPorts, resolveTemplate } from './resolve-template.ts';
import { byText } from './sorted.ts';

/** What is there when a manifest says nothing. */
const DEFAULTS = {
  intervalMs: 2000,
  timeoutMs: 2000,
  retries: 3,
  stopGracePeriodMs: 10_000,
  deadlineMs: 120_000,
} as const;

export interface ResolveArgs {
  readonly namespace: string;
  readonly services: readonly ManifestService[];
  readonly volumes: readonly ManifestVolume[];
  /** `[env]` of the settings. */
  readonly env: Readonly<Record<string, string>>;
}

/** The namespace as desired; services and volumes in order of name. */
export function resolveNamespace({ namespace, services, volumes, env }: ResolveArgs): Desired {
  return {
    namespace,
    services: services.map((it) => resolveService(it, env)).toSorted(byText((it) => it.name)),
    volumes: volumes.map(resolveVolume).toSorted(byText((it) => it.name)),
  };
}

/** sha256 of a desired namespace: differs exactly when something else is asked for. */
export function desiredDigest(desired: Desired): Digest {
  return digestOf(desired);
}

function resolveService(service: ManifestService, env: ResolveArgs['env']): DesiredService {
  const ports = (service.service_ports ?? []).map((it) => ({
    name: it.name,
    port: it.container_port,
    protocol: it.protocol ?? 'tcp',
  }));
  const portOf = (name: string): number => ports.find((it) => it.name === name)?.port ?? 0;
  return {
    name: service.name,
    imageName: service.template.image,
    pullPolicy: PULL_POLICIES[service.template.pull_policy ?? 'if_not_present'],
    placement: resolvePlacement(service),
    ports: ports.toSorted(byText((it) => it.name)),
    tcpPublish: publishedPorts(service, 'tcp'),
    routes: resolveRoutes(service, portOf),
    readiness: resolveReadiness(service.readiness, portOf),
    dependsOn: service.depends_on ?? {},
    strategy: resolveStrategy(service.strategy ?? service.rollout ?? 'rolling'),
    stopGracePeriodMs: optionalMs(service.template.stop_grace_period, DEFAULTS.stopGracePeriodMs),
    deadlineMs: optionalMs(service.deadline, DEFAULTS.deadlineMs),
    onFailure: service.on_failure ?? 'hold',
    job: service.job ?? false,
    template: resolveTemplate(service, env),
  };
}

const PULL_POLICIES = { if_not_present: 'if-not-present', always: 'always', never: 'never' } as const;

function resolvePlacement(service: ManifestService): Placement {
  const placement = typeof service.placement === 'object' ? service.placement : {};
  return {
    replicaCount: isGlobal(service) ? null : (placement.replicated?.count ?? 1),
    machines: [...new Set(placement.machines ?? [])].toSorted(),
    labels: placement.labels ?? {},
    region: placement.region ?? null,
    zone: placement.zone ?? null,
  };
}

function resolveRoutes({ routes = [] }: ManifestService, portOf: (name: string) => number): Route[] {
  const resolved = routes.flatMap(({ http, tcp }): Route[] => {
    if (tcp !== undefined) return [{ kind: 'tcp', listenPort: tcp.listen_port, port: portOf(tcp.service_port) }];
    const pathPrefix = normalPathPrefix(http?.path_prefix);
    const port = portOf(http?.service_port ?? '');
    return (http?.hostnames ?? []).map((hostname) => ({ kind: 'http', hostname, pathPrefix, port }));
  });
  return resolved.toSorted(
    byText((it) => (it.kind === 'tcp' ? `tcp ${it.listenPort}` : `http ${it.hostname}${it.pathPrefix}`)),
  );
}

function resolveReadiness(readiness: ManifestService['readiness'], portOf: (name: string) => number): Readiness | null {
  if (readiness === undefined) return null;
  return {
    probe: resolveProbe(readiness, portOf),
    intervalMs: optionalMs(readiness.interval, DEFAULTS.intervalMs),
    timeoutMs: optionalMs(readiness.timeout, DEFAULTS.timeoutMs),
    retries: readiness.retries ?? DEFAULTS.retries,
    startPeriodMs: optionalMs(readiness.start_period, 0),
    livenessTimeoutMs: readiness.liveness_timeout === undefined ? null : durationMs(readiness.liveness_timeout),
  };
}

function resolveProbe(
  { http, tcp, exec }: NonNullable<ManifestService['readiness']>,
  portOf: (name: string) => number,
): Readiness['probe'] {
  if (http !== undefined) return { kind: 'http', port: portOf(http.service_port), path: http.path };
  if (tcp !== undefined) return { kind: 'tcp', port: portOf(tcp.service_port) };
  return { kind: 'exec', command: exec?.command ?? [] };
}

function resolveStrategy(strategy: NonNullable<ManifestService['strategy']>): Strategy {
  const {
    rolling,
    recreate,
    blue_green: blueGreen,
  } = typeof strategy === 'object' ? strategy : ({ [strategy]: {} } as Partial<Exclude<typeof strategy, string>>);
  if (recreate !== undefined) return { kind: 'recreate' };
  if (blueGreen !== undefined) return { kind: 'blue-green', holdMs: optionalMs(blueGreen.hold, 0) };
  return {
    kind: 'rolling',
    maxSurge: amountOf(rolling?.max_surge ?? '100%'),
    maxUnavailable: amountOf(rolling?.max_unavailable ?? 0),
  };
}

function resolveVolume(volume: ManifestVolume): VolumeSpec {
  const [uid, gid] = (volume.owner ?? '').split(':').map(Number);
  return {
    name: volume.name,
    scope: 'single',
    quotaBytes: null,
    mode: volume.mode === undefined ? null : octalMode(volume.mode),
    owner: volume.owner === undefined ? null : { uid: uid ?? 0, gid: gid ?? 0 },
    ...(volume.preview === undefined ? {} : { preview: volume.preview }),
  };
}

function optionalMs(text: string | undefined, defaultMs: number): number {
  return text === undefined ? defaultMs : durationMs(text);
}
