/**
 * Routing table → what HAProxy shall hold: sections (its backends) with servers, the map of routes, the listeners.
 *
 * Pure. Everything that becomes text of a configuration or a command is checked here, so nothing downstream escapes.
 */
import { isIP } from 'node:net';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Endpoint, RoutingTable } from '../../schemas/routing.ts';
import type { Assignment } from './assign.ts';

/** The part of a routing table that the gateway follows. */
export type GatewayTable = Pick<RoutingTable, 'http' | 'tcp' | 'backends'>;

/** A backend of HAProxy; with no endpoints it is a spare, or a service without a ready instance. */
export interface Section {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

/** `match` is host + path + `/`: what is looked up ends like that too, so `/api` never takes `/apix`. */
export interface RouteEntry {
  readonly match: string;
  readonly section: string;
}

export interface Layout {
  /** null: the port is somebody else's. */
  readonly httpPort: number | null;
  readonly tcpPorts: readonly number[];
  /** As many http sections as the assignment has, and one a tcp port. */
  readonly sections: readonly Section[];
  /** In code-unit order of `match`. */
  readonly routes: readonly RouteEntry[];
}

/** Where a worker that stops sends what still reaches it; holds no endpoint. */
export const HANDOVER_SECTION = 'handover';

/** The section behind a tcp listener. */
export function tcpSection(port: number): string {
  return `tcp_${port}`;
}

/** Keys of the backends that http routes lead to. */
export function httpKeys(table: GatewayTable): string[] {
  return [...new Set(table.http.map((it) => it.backend))].toSorted();
}

/** Ports in `blocked` are left out: the rest of the table is served without them. */
export function layoutOf(
  table: GatewayTable,
  assignment: Assignment,
  ports: { readonly http: number; readonly blocked: ReadonlySet<number> },
): Layout {
  const endpoints = new Map(table.backends.map((it) => [it.key, it.endpoints]));
  const keyOf = new Map(Object.entries(assignment.sections).map(([key, section]) => [section, key]));
  const spareOrUsed = Array.from({ length: assignment.sectionCount }, (_, index): Section => {
    const key = keyOf.get(`b${index}`);
    return { name: `b${index}`, endpoints: key === undefined ? [] : (endpoints.get(key) ?? []) };
  });
  const tcp = table.tcp.filter((it) => !ports.blocked.has(it.listenPort));
  return {
    httpPort: ports.blocked.has(ports.http) ? null : ports.http,
    tcpPorts: tcp.map((it) => it.listenPort).toSorted((a, b) => a - b),
    sections: [
      ...spareOrUsed,
      ...tcp.map((it) => ({ name: tcpSection(it.listenPort), endpoints: endpoints.get(it.backend) ?? [] })),
    ],
    routes: table.http
      .map((it) => ({
        match: `${it.host}${it.pathPrefix === '/' ? '' : it.pathPrefix}/`,
        section: assignment.sections[it.backend] ?? '',
      }))
      .toSorted((a, b) => (a.match < b.match ? -1 : 1)),
  };
}

const HOST = /^[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?$/;
/** Path characters of RFC 3986 section 3.3, without the two that HAProxy's command line reads (`;` and `'`). */
const PATH = /^\/(?:[A-Za-z0-9._~!$&()*+,=:@%-]+(?:\/[A-Za-z0-9._~!$&()*+,=:@%-]+)*)?$/;
const ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/** @throws GATEWAY_FAILED: the table holds what HAProxy could misread, or contradicts itself; names all of it. */
export function checkTable(table: GatewayTable): void {
  const keys = new Set(table.backends.map((it) => it.key));
  const wrong = [
    ...table.http.filter((it) => !HOST.test(it.host)).map((it) => `hostname ${JSON.stringify(it.host)}`),
    ...table.http.filter((it) => !PATH.test(it.pathPrefix)).map((it) => `path ${JSON.stringify(it.pathPrefix)}`),
    ...table.tcp.filter((it) => !isPort(it.listenPort)).map((it) => `listen port ${it.listenPort}`),
    ...[...table.http, ...table.tcp].filter((it) => !keys.has(it.backend)).map((it) => `unknown backend ${it.backend}`),
    ...twice(table.http.map((it) => `${it.host}${it.pathPrefix}`)).map((it) => `two routes for ${it}`),
    ...twice(table.tcp.map((it) => `${it.listenPort}`)).map((it) => `two services for port ${it}`),
    ...twice(table.backends.map((it) => it.key)).map((it) => `backend ${it} twice`),
    ...table.backends.flatMap(({ key, endpoints }) => [
      ...endpoints.filter((it) => !isEndpoint(it)).map((it) => `endpoint ${JSON.stringify(it)} of ${key}`),
      ...twice(endpoints.map((it) => it.id)).map((it) => `endpoint ${it} twice in ${key}`),
    ]),
  ];
  if (wrong.length === 0) return;
  throw new SlipwayError('GATEWAY_FAILED', `the routing table cannot be served: ${wrong.slice(0, 5).join('; ')}`, {
    wrong,
  });
}

function isEndpoint({ id, address, port }: Endpoint): boolean {
  return ID.test(id) && isIP(address) !== 0 && isPort(port);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

function twice(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((it) => seen.size === seen.add(it).size);
}
