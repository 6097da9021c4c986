/** The same services for both contenders: one web server each, whose env VERSION is what it answers. */
import { WEB_IMAGE } from '../test/lab/images.ts';

const CONTAINER_PORT = 8080;

/** What a client asks of one service. */
export interface Endpoint {
  readonly port: number;
  /** The Host header. */
  readonly hostname: string;
}

export interface ServiceOptions {
  /** Port that the process listens on; 8080 by default. */
  readonly port?: number;
}

/** `s001`, `s002` … */
export function serviceNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `s${String(index + 1).padStart(3, '0')}`);
}

export function hostnameOf(service: string): string {
  return `${service}.bench.example`;
}

/** What a service of this version answers. */
export function answerOf(version: string): string {
  return `web ${version}`;
}

/** A namespace's manifest, as JSON: a route and a readiness probe each, everything else by default. */
export function manifest(namespace: string, count: number, version: string, options: ServiceOptions = {}): string {
  const services = serviceNames(count).map((name) => ({
    name,
    template: { image: WEB_IMAGE, env: { VERSION: version } },
    service_ports: [{ name: 'http', container_port: options.port ?? CONTAINER_PORT }],
    routes: [{ http: { service_port: 'http', hostnames: [hostnameOf(name)] } }],
    readiness: { http: { service_port: 'http', path: '/healthz' } },
  }));
  return `${JSON.stringify({ namespace, services }, null, 2)}\n`;
}

/** A compose file with the same services on ports of loopback; JSON, which is YAML. `first`: version of the first one. */
export function composeFile(version: string, ports: readonly number[], first = version): string {
  const names = serviceNames(ports.length);
  const services = names.map((name, index) => {
    const published = `127.0.0.1:${ports[index]}:${CONTAINER_PORT}`;
    return [
      name,
      {
        image: WEB_IMAGE,
        environment: { VERSION: index === 0 ? first : version },
        ports: [published],
        restart: 'unless-stopped',
      },
    ];
  });
  return `${JSON.stringify({ version: '3', services: Object.fromEntries(services) }, null, 2)}\n`;
}
