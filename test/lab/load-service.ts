/** Manifests of namespaces whose services run the image of app-image.ts. */

export interface LoadService {
  readonly name?: string;
  readonly image: string;
  readonly version: string;
  readonly host: string;
  /** What it does at SIGTERM: ends at once and drops everything, nothing at all, or finishes first (by default). */
  readonly onTerm?: 'exit' | 'ignore' | 'finish';
  readonly count?: number;
  readonly strategy?: unknown;
  readonly stopGracePeriod?: string;
  /** A volume of the namespace that it writes to. */
  readonly volume?: string;
}

/** The manifest of a namespace. */
export function loadManifest(namespace: string, services: readonly LoadService[]): unknown {
  const volumes = services.flatMap((it) => (it.volume === undefined ? [] : [{ name: it.volume }]));
  return { namespace, services: services.map(serviceOf), ...(volumes.length > 0 ? { volumes } : {}) };
}

function serviceOf(it: LoadService): unknown {
  return {
    name: it.name ?? 'web',
    placement: { replicated: { count: it.count ?? 1 } },
    template: {
      image: it.image,
      env: { VERSION: it.version, ON_TERM: it.onTerm ?? 'finish' },
      stop_grace_period: it.stopGracePeriod ?? '1s',
      ...(it.volume === undefined ? {} : { mounts: [{ source: { volume: it.volume }, target: '/data' }] }),
    },
    service_ports: [{ name: 'http', container_port: 8080 }],
    readiness: { http: { service_port: 'http', path: '/healthz' } },
    routes: [{ http: { service_port: 'http', hostnames: [it.host] } }],
    deadline: '20s',
    ...(it.strategy === undefined ? {} : { strategy: it.strategy }),
  };
}
