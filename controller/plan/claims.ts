/**
 * Claims: what an instance holds on its machine that no second instance may hold beside it.
 *
 * They decide what cannot be start-first. A writable bind mount counts like a writable volume: losing requests for a
 * moment is announced, two writers on one database file are not.
 */
import type { ServiceSpec } from '../../schemas/service.ts';

/** The parts of a service that claims depend on; its image is not one. */
export type Claimant = Pick<ServiceSpec, 'name' | 'ports' | 'tcpPublish' | 'routes'> & {
  readonly template: Pick<ServiceSpec['template'], 'network' | 'udpPublish' | 'mounts'>;
};

/** `own`: the instance itself holds it. `gateway`: the gateway holds it for the service, for old and new alike. */
export interface Claim {
  readonly key: string;
  readonly kind: 'port' | 'mount' | 'host';
  readonly holder: 'own' | 'gateway';
}

/** Everything that an instance of the service claims on its machine. */
export function claimsOf(service: Claimant): Claim[] {
  return [...mountClaims(service), ...hostPorts(service), ...hostNetwork(service), ...gatewayPortsOf(service)];
}

/** Host ports that the instance itself opens: two slots with the same one cannot share a machine. */
export function hostPorts({ ports, template }: Claimant): Claim[] {
  const published = template.udpPublish.map((it) => portClaim(it.protocol, it.hostPort, 'own'));
  const host = template.network === 'host' ? ports.map((it) => portClaim(it.protocol, it.port, 'own')) : [];
  return [...published, ...host];
}

/** Ports that the gateway opens for the service. */
export function gatewayPortsOf({ tcpPublish, routes }: Claimant): Claim[] {
  const listens = routes.flatMap((it) => (it.kind === 'tcp' ? [it.listenPort] : []));
  return [...tcpPublish.map((it) => it.hostPort), ...listens].map((port) => portClaim('tcp', port, 'gateway'));
}

function mountClaims({ template }: Claimant): Claim[] {
  return template.mounts.flatMap((mount): Claim[] => {
    if (!('readonly' in mount) || mount.readonly) return [];
    const key = mount.kind === 'volume' ? `volume/${mount.volume}` : `bind/${mount.path}`;
    return [{ key, kind: 'mount', holder: 'own' }];
  });
}

/** Which ports a program in the host's network opens is its own business: it is never run beside itself. */
function hostNetwork({ name, template }: Claimant): Claim[] {
  return template.network === 'host' ? [{ key: `host-network/${name}`, kind: 'host', holder: 'own' }] : [];
}

function portClaim(protocol: 'tcp' | 'udp', port: number, holder: Claim['holder']): Claim {
  return { key: `${protocol}/${port}`, kind: 'port', holder };
}
