/** Rows that a release holds of a service besides its slots: its routes, and the ports it has on hosts. */
import type { Release } from '../../schemas/release.ts';
import type { DesiredService } from '../../schemas/service.ts';

type Reached = Pick<DesiredService, 'name' | 'routes' | 'tcpPublish'> & {
  readonly template: Pick<DesiredService['template'], 'udpPublish'>;
};

/** The service's routes, in the order of its spec. */
export function routeRows({ name, routes }: Reached): Release['routes'] {
  return routes.map((route) => ({ service: name, route }));
}

/** The tcp ports that gateways hold for the service, then the udp ones that the engine publishes. */
export function hostPortRows({ name, tcpPublish, template }: Reached): Release['hostPorts'] {
  return [...tcpPublish, ...template.udpPublish].map(({ protocol, hostPort }) => ({
    service: name,
    protocol,
    hostPort,
  }));
}
