/** Ports, routes, probes and networks of a service: do they fit together? Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import { type Path, quoted } from './places.ts';
import type { Report } from './report.ts';
import { didYouMean } from './suggest.ts';

/** A place that names a service port, and the protocol it needs there. */
interface PortUse {
  readonly path: Path;
  readonly name: string;
  readonly tcpOnly: boolean;
}

/** Checks of everything that carries requests. */
export function checkTraffic(service: ManifestService, report: Report): void {
  checkPorts(service, report);
  checkKinds(service, report);
  for (const use of portUses(service)) checkUse(use, service, report);
  checkNetwork(service, report);
}

function checkPorts({ service_ports: ports = [] }: ManifestService, report: Report): void {
  ports.forEach((port, index) => {
    const before = ports.slice(0, index);
    if (before.some((it) => it.name === port.name)) {
      report(['service_ports', index, 'name'], `another port of this service is called ${quoted(port.name)}`);
    }
    const protocol = port.protocol ?? 'tcp';
    if (before.some((it) => it.container_port === port.container_port && (it.protocol ?? 'tcp') === protocol)) {
      report(
        ['service_ports', index, 'container_port'],
        `another port of this service is ${protocol} ${port.container_port}`,
      );
    }
  });
}

function checkKinds({ routes = [], readiness }: ManifestService, report: Report): void {
  routes.forEach((route, index) => {
    if (Object.keys(route).length !== 1) report(['routes', index], 'wants exactly one of http and tcp');
  });
  if (readiness === undefined) return;
  const kinds = (['http', 'tcp', 'exec'] as const).filter((it) => readiness[it] !== undefined);
  if (kinds.length !== 1) report(['readiness'], 'wants exactly one of http, tcp and exec');
}

function portUses({ publish = [], routes = [], readiness }: ManifestService): PortUse[] {
  const uses: PortUse[] = publish.map((it, index) => ({
    path: ['publish', index, 'service_port'],
    name: it.service_port,
    tcpOnly: false,
  }));
  routes.forEach((route, index) => {
    for (const kind of ['http', 'tcp'] as const) {
      const name = route[kind]?.service_port;
      if (name !== undefined) uses.push({ path: ['routes', index, kind, 'service_port'], name, tcpOnly: true });
    }
  });
  for (const kind of ['http', 'tcp'] as const) {
    const name = readiness?.[kind]?.service_port;
    if (name !== undefined) uses.push({ path: ['readiness', kind, 'service_port'], name, tcpOnly: true });
  }
  return uses;
}

function checkUse(
  { path, name, tcpOnly }: PortUse,
  { service_ports: ports = [] }: ManifestService,
  report: Report,
): void {
  const port = ports.find((it) => it.name === name);
  if (port === undefined) {
    const names = ports.map((it) => it.name);
    const hint =
      didYouMean(name, names) ?? (names.length === 0 ? 'declare it in service_ports' : `it has ${names.join(', ')}`);
    report(path, `${quoted(name)} is not one of this service's ports`, { hint });
  } else if (tcpOnly && port.protocol === 'udp') report(path, `the port ${quoted(name)} is udp; this wants tcp`);
}

function checkNetwork(service: ManifestService, report: Report): void {
  const { network, publish = [], readiness } = service;
  if (network === 'host' && publish.length > 0) {
    report(['publish'], 'with network = "host" the ports of the process are ports of the machine already', {
      part: 'key',
    });
  }
  if (network !== 'none') return;
  const lists = ['service_ports', 'publish', 'routes'] as const;
  for (const key of lists) {
    if ((service[key] ?? []).length > 0) report([key], 'with network = "none" nothing can be reached', { part: 'key' });
  }
  for (const kind of ['http', 'tcp'] as const) {
    if (readiness?.[kind])
      report(['readiness', kind], 'with network = "none" only exec can be probed', { part: 'key' });
  }
}
