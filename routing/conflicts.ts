/** Routes and ports that two services claim. Pure; the plan refuses them before anything is touched. */
import type { NamespaceName, ServiceName } from '../schemas/names.ts';
import type { Release } from '../schemas/release.ts';
import { routeHost, routePath } from './normalise.ts';

/** What a namespace wants clients to reach. */
export type Claims = Pick<Release, 'namespace' | 'routes' | 'hostPorts'>;

/**
 * `what` reads before "belongs to": `example.com/api`, `tcp port 5432`. `with` is the other claimant; the gateway's own
 * ports belong to `slipway/gateway`. `service` is the one of ours that wants it.
 */
export interface RouteConflict {
  readonly kind: 'http' | 'tcp' | 'port';
  readonly what: string;
  readonly service: ServiceName;
  readonly with: { readonly namespace: NamespaceName; readonly service: ServiceName };
}

interface Claim {
  readonly kind: RouteConflict['kind'];
  readonly what: string;
  readonly namespace: NamespaceName;
  readonly service: ServiceName;
}

/**
 * Every claim of `mine` that somebody else, the gateway, or another line of `mine` has; in the order of `mine`. A listen
 * port and a published tcp port are the same kind of thing: a listener of the gateway. Earlier releases of the same
 * namespace among `others` do not count.
 */
export function routeConflicts(
  mine: Claims,
  others: readonly Claims[],
  gatewayPorts: readonly number[],
): RouteConflict[] {
  const taken = new Map<string, Claim>();
  for (const port of gatewayPorts) {
    const what = portText('tcp', port);
    taken.set(what, { kind: 'port', what, namespace: 'slipway', service: 'gateway' });
  }
  for (const claim of others.filter((it) => it.namespace !== mine.namespace).flatMap(claims)) {
    if (!taken.has(claim.what)) taken.set(claim.what, claim);
  }
  const conflicts: RouteConflict[] = [];
  for (const { kind, what, namespace, service } of claims(mine)) {
    const holder = taken.get(what);
    if (holder === undefined) taken.set(what, { kind, what, namespace, service });
    else conflicts.push({ kind, what, service, with: { namespace: holder.namespace, service: holder.service } });
  }
  return conflicts;
}

function claims({ namespace, routes, hostPorts }: Claims): Claim[] {
  const reached = routes.map(({ service, route }): Claim => {
    if (route.kind === 'tcp') return { kind: 'tcp', what: portText('tcp', route.listenPort), namespace, service };
    return { kind: 'http', what: `${routeHost(route.hostname)}${routePath(route.pathPrefix)}`, namespace, service };
  });
  const published = hostPorts.map(
    ({ service, protocol, hostPort }): Claim => ({
      kind: 'port',
      what: portText(protocol, hostPort),
      namespace,
      service,
    }),
  );
  return [...reached, ...published];
}

function portText(protocol: 'tcp' | 'udp', port: number): string {
  return `${protocol} port ${port}`;
}
