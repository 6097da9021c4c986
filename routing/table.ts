/**
 * Latest releases × instance reports → the routing table of one machine's gateway and resolver.
 *
 * Pure and deterministic: the order of releases and reports changes nothing.
 */
import type { MachineName } from '../schemas/names.ts';
import type { InstanceReport } from '../schemas/observed.ts';
import type { HttpRoute, RoutingTable, TcpRoute } from '../schemas/routing.ts';
import type { Route, ServiceSpec } from '../schemas/service.ts';
import { type BackendWish, backend, backendKey, type LiveRelease, slotsOf } from './backends.ts';
import { memberRows, nameRows } from './names.ts';
import { compareText, routeHost, routePath } from './normalise.ts';
import { indexReports } from './serving.ts';

/**
 * The table of `machine`. Everything is in code-unit order; where two services claim the same host and path or the
 * same port (the plan refuses that), the one whose backend key comes first has it.
 */
export function routingTable(input: {
  readonly releases: readonly LiveRelease[];
  readonly reports: readonly InstanceReport[];
  readonly machine: MachineName;
}): RoutingTable {
  const { reports, machine } = input;
  const releases = input.releases.toSorted((a, b) => compareText(a.release.namespace, b.release.namespace));
  const index = indexReports(reports);
  const wanted = releases.flatMap((live) => services(live).flatMap((spec) => wishes(live, spec, machine)));
  wanted.sort((a, b) => compareText(backendKey(a.wish), backendKey(b.wish)));

  const http = new Map<string, HttpRoute>();
  const tcp = new Map<number, TcpRoute>();
  for (const { wish, place } of wanted) {
    const key = backendKey(wish);
    if (place.kind === 'tcp') {
      if (!tcp.has(place.listenPort)) tcp.set(place.listenPort, { listenPort: place.listenPort, backend: key });
      continue;
    }
    const route = { host: routeHost(place.hostname), pathPrefix: routePath(place.pathPrefix), backend: key };
    const at = `${route.host}${route.pathPrefix}`;
    if (!http.has(at)) http.set(at, route);
  }
  const used = new Set([...http.values(), ...tcp.values()].map((it) => it.backend));
  const backends = new Map(wanted.map(({ wish }) => [backendKey(wish), wish]));
  return {
    http: [...http.values()].toSorted((a, b) => compareText(a.host, b.host) || compareText(a.pathPrefix, b.pathPrefix)),
    tcp: [...tcp.values()].toSorted((a, b) => a.listenPort - b.listenPort),
    backends: [...backends].filter(([key]) => used.has(key)).map(([, wish]) => backend(wish, index, machine)),
    names: nameRows(releases, reports, index),
    members: memberRows(reports),
  };
}

function services({ release, specs }: LiveRelease): ServiceSpec[] {
  return Object.values(release.services)
    .map((digest) => specs.get(digest))
    .filter((it) => it !== undefined)
    .filter((it) => !it.job);
}

/** A place that clients reach, and the backend that answers there. */
interface Wanted {
  readonly place: Route;
  readonly wish: BackendWish;
}

function wishes(live: LiveRelease, spec: ServiceSpec, machine: MachineName): Wanted[] {
  const slots = slotsOf(live.release, spec.name);
  // Stopped: nobody is missing, so clients are told that there is nothing (404) rather than to come back later (503).
  if (slots.length === 0) return [];
  const routes = spec.routes.map((place) => ({ place, wish: { live, spec, port: place.port, local: false } }));
  if (!slots.some((it) => it.machine === machine)) return routes;
  // A published port is the machine's own door to its own slots, so with slots elsewhere too it needs its own backend.
  const local = slots.some((it) => it.machine !== machine);
  const published = spec.tcpPublish.map(({ port, hostPort }) => ({
    place: { kind: 'tcp' as const, listenPort: hostPort, port },
    wish: { live, spec, port, local },
  }));
  return [...routes, ...published];
}
