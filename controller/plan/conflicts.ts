/** Conflicts: hostnames and ports of the plan that somebody else already has. */
import { type RouteConflict, routeConflicts } from '../../routing/conflicts.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Release } from '../../schemas/release.ts';
import type { Placeable } from './candidates.ts';
import { gatewayPortsOf, hostPorts } from './claims.ts';
import type { PlanFailure } from './input.ts';
import { groupBy } from './order.ts';
import { hostPortRows, routeRows } from './release-rows.ts';
import type { Seat } from './transitions.ts';

const CODES = {
  http: 'ROUTE_CONFLICT',
  tcp: 'PORT_CONFLICT',
  port: 'PORT_CONFLICT',
} as const satisfies Record<RouteConflict['kind'], ErrorCode>;

/** Claims of the desired services that the gateway, another namespace or another service of this one has. */
export function claimFailures(args: {
  readonly namespace: NamespaceName;
  readonly services: readonly Placeable[];
  readonly others: readonly Release[];
  readonly gatewayPorts: readonly number[];
}): PlanFailure[] {
  const { namespace, services } = args;
  const mine = { namespace, routes: services.flatMap(routeRows), hostPorts: services.flatMap(hostPortRows) };
  return routeConflicts(mine, args.others, args.gatewayPorts).map(({ kind, what, service, with: holder }) => {
    const same = holder.namespace === namespace && holder.service === service;
    const owner =
      holder.namespace === namespace ? `service ${holder.service}` : `${holder.namespace}/${holder.service}`;
    const message = same ? `it asks for ${what} twice` : `${what} belongs to ${owner}`;
    return { code: CODES[kind], service, message };
  });
}

/**
 * Tcp ports that a program in the host's network opens itself, but gateways hold (on any machine): for the target, or
 * still for the live release. The gateway lets go only once a release is live, so a port cannot change hands in one plan.
 */
export function hostNetworkFailures(args: {
  readonly services: readonly Placeable[];
  readonly seats: readonly Seat[];
  readonly released: Release | null;
  readonly gatewayPorts: readonly number[];
}): PlanFailure[] {
  const held = new Map(args.gatewayPorts.map((port) => [`tcp/${port}`, 'the gateway itself holds']));
  for (const it of args.released?.hostPorts ?? [])
    if (it.protocol === 'tcp')
      held.set(`tcp/${it.hostPort}`, `the gateway still holds for ${it.service}, until a release without it is live`);
  for (const { service, route } of args.released?.routes ?? [])
    if (route.kind === 'tcp')
      held.set(`tcp/${route.listenPort}`, `the gateway still holds for ${service}, until a release without it is live`);
  for (const service of args.services)
    for (const { key } of gatewayPortsOf(service)) held.set(key, `the gateway holds for ${service.name}`);

  const seats = groupBy(args.seats, (it) => it.service);
  return args.services
    .filter((it) => it.template.network === 'host' && seats.has(it.name))
    .flatMap((service) =>
      hostPorts(service).flatMap(({ key }): PlanFailure[] => {
        const holder = held.get(key);
        if (holder === undefined) return [];
        const message = `it opens ${key.replace('/', ' port ')} on the host, which ${holder}`;
        return [{ code: 'PORT_CONFLICT', service: service.name, message }];
      }),
    );
}
