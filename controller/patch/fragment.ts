/**
 * A patch as a small manifest, so that it is checked and resolved by exactly what checks manifests. Pure.
 *
 * Of a service that is live it holds what the patch names, and around it only what the checks compare that with: ports,
 * routes, placement, volumes. What it does not hold is never written anew.
 */
import type { Desired, DesiredService } from '../../schemas/service.ts';
import { type ServicePatch, touchesTraffic } from './patch.ts';
import { routedPort } from './routed-port.ts';

interface FragmentPort {
  readonly name: string;
  readonly container_port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** The manifest; `before` null: the service is new. */
export function fragmentOf(base: Desired, before: DesiredService | null, patch: ServicePatch) {
  const around = comparesWith(patch) ? before : null;
  const ports = portsOf(around, patch);
  const nameOf = (port: number, protocol: 'tcp' | 'udp') =>
    ports.find((it) => it.container_port === port && it.protocol === protocol)?.name ?? '';
  const probed = before === null ? firstTcp(patch) : null;
  const service = {
    name: patch.service,
    template: {
      image: patch.image ?? before?.imageName ?? '',
      env: patch.env,
      mounts: patch.mounts.map(({ source, target, readonly }) => ({
        source: source.startsWith('/') ? { bind: source } : { volume: source },
        target,
        readonly,
      })),
    },
    service_ports: ports,
    publish: publishedOf(around, patch).map((it) => ({
      service_port: nameOf(it.port, it.protocol),
      host_port: it.hostPort,
    })),
    routes: routesOf(around, patch).map((it) =>
      it.kind === 'tcp'
        ? { tcp: { service_port: nameOf(it.port, 'tcp'), listen_port: it.listenPort } }
        : { http: { service_port: nameOf(it.port, 'tcp'), hostnames: [it.hostname], path_prefix: it.pathPrefix } },
    ),
    ...(probed === null ? {} : { readiness: { tcp: { service_port: nameOf(probed, 'tcp') } } }),
    ...networkOf(around, patch),
    ...(patch.restart === null ? {} : { restart: patch.restart }),
    ...(around === null ? {} : runOf(around)),
  };
  const volumes = new Set([
    ...base.volumes.map((it) => it.name),
    ...patch.mounts.flatMap((it) => (it.source.startsWith('/') ? [] : [it.source])),
  ]);
  return { namespace: base.namespace, services: [service], volumes: [...volumes].map((name) => ({ name })) };
}

/** Whether what the patch names has to fit to what is there. */
function comparesWith(patch: ServicePatch): boolean {
  return touchesTraffic(patch) || patch.network !== null || patch.mounts.length > 0 || patch.restart !== null;
}

function runOf({ job, placement, strategy }: DesiredService) {
  if (job) return { job };
  return {
    ...(placement.replicaCount === null ? { placement: 'global' } : {}),
    ...(strategy.kind === 'blue-green' ? { strategy: 'blue_green' } : {}),
  };
}

/** Ports that are there, and those that the patch brings. */
function portsOf(before: DesiredService | null, patch: ServicePatch): FragmentPort[] {
  const ports: FragmentPort[] = (before?.ports ?? []).map(({ name, port, protocol }) => ({
    name,
    container_port: port,
    protocol,
  }));
  const wanted = [
    ...patch.ports.map(({ port, protocol }) => ({ port, protocol })),
    ...(patch.port === null ? [] : [{ port: patch.port, protocol: 'tcp' as const }]),
  ];
  for (const { port, protocol } of wanted) {
    if (ports.some((it) => it.container_port === port && it.protocol === protocol)) continue;
    ports.push({ name: `${protocol}-${port}`, container_port: port, protocol });
  }
  return ports;
}

function publishedOf(before: DesiredService | null, patch: ServicePatch) {
  const kept = [...(before?.tcpPublish ?? []), ...(before?.template.udpPublish ?? [])].filter(
    (it) => !patch.ports.some((other) => other.hostPort === it.hostPort && other.protocol === it.protocol),
  );
  return [...kept, ...patch.ports];
}

function routesOf(before: DesiredService | null, patch: ServicePatch): DesiredService['routes'] {
  const routes = before?.routes ?? [];
  const { hostname } = patch;
  const port = routedPort(before, patch);
  if (hostname === null || port === null) return routes;
  const mine = routes.filter((it) => it.kind === 'http' && it.hostname === hostname);
  // It answers for the hostname already: only a port that is named leads elsewhere.
  if (mine.length > 0 && patch.port === null) return routes;
  const others = routes.filter((it) => !(mine.includes(it) && it.kind === 'http' && it.pathPrefix === '/'));
  return [...others, { kind: 'http', hostname, pathPrefix: '/', port }];
}

function networkOf(before: DesiredService | null, patch: ServicePatch): { network?: string } {
  if (patch.network !== null) return { network: patch.network };
  return before !== null && touchesTraffic(patch) ? { network: before.template.network } : {};
}

function firstTcp(patch: ServicePatch): number | null {
  return patch.port ?? patch.ports.find((it) => it.protocol === 'tcp')?.port ?? null;
}
