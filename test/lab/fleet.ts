/** Manifests for whole installations: one web service a namespace, as a user would write it. */
import { WEB_IMAGE } from './images.ts';

/** A service of a manifest; what is given replaces or adds to a web server that answers `web <version>`. */
export function webService(args: {
  readonly hostname: string;
  readonly version?: string;
  readonly name?: string;
  readonly image?: string;
  readonly env?: Record<string, string>;
  readonly more?: Record<string, unknown>;
}): Record<string, unknown> {
  const { hostname, version = '1', name = 'web', image = WEB_IMAGE, env = {}, more = {} } = args;
  return {
    name,
    template: { image, env: { VERSION: version, ...env }, stop_grace_period: '1s' },
    service_ports: [{ name: 'http', container_port: 8080, protocol: 'tcp' }],
    routes: [{ http: { service_port: 'http', hostnames: [hostname] } }],
    readiness: { http: { service_port: 'http', path: '/healthz' }, interval: '200ms', timeout: '2s' },
    deadline: '20s',
    ...more,
  };
}

/** A whole manifest file, as JSON. */
export function manifestText(
  namespace: string,
  services: readonly unknown[],
  more: Record<string, unknown> = {},
): string {
  return `${JSON.stringify({ namespace, services, ...more }, null, 2)}\n`;
}
