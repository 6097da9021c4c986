/**
 * (what HAProxy runs, what it shall run) → changes, and each change → commands. Pure.
 *
 * Order: `enter` brings servers in without traffic, `open` gives them traffic, `routes` moves hostnames, `leave` takes
 * traffic from servers that are no longer named. A server that left stays until its sessions are gone (drain.ts).
 */
import type { Endpoint } from '../../schemas/routing.ts';
import type { RouteEntry, Section } from './layout.ts';
import type { Server } from './parse.ts';
import { addressText, SERVER_OPTIONS } from './render.ts';

/** What one worker runs now. */
export interface Actual {
  readonly servers: readonly Server[];
  readonly routes: ReadonlyMap<string, string>;
}

export type Change =
  | { readonly kind: 'add'; readonly section: string; readonly endpoint: Endpoint }
  | { readonly kind: 'move'; readonly section: string; readonly endpoint: Endpoint }
  | { readonly kind: 'open'; readonly section: string; readonly id: string }
  | { readonly kind: 'route-add'; readonly match: string; readonly section: string }
  | { readonly kind: 'route-set'; readonly match: string; readonly section: string }
  | { readonly kind: 'route-delete'; readonly match: string }
  | { readonly kind: 'leave'; readonly section: string; readonly id: string };

export interface Changes {
  readonly enter: readonly Change[];
  readonly open: readonly Change[];
  readonly routes: readonly Change[];
  readonly leave: readonly Change[];
}

/** What has to change for the worker to serve the layout; all four empty: nothing. */
export function diff(
  actual: Actual,
  wanted: { readonly sections: readonly Section[]; readonly routes: readonly RouteEntry[] },
): Changes {
  const byName = new Map(actual.servers.map((it) => [`${it.section}/${it.id}`, it]));
  const endpoints = wanted.sections.flatMap(({ name, endpoints }) => endpoints.map((it) => ({ section: name, it })));
  const enter: Change[] = [];
  const open: Change[] = [];
  for (const { section, it } of endpoints) {
    const found = byName.get(`${section}/${it.id}`);
    const elsewhere = found !== undefined && (found.address !== it.address || found.port !== it.port);
    if (found === undefined) enter.push({ kind: 'add', section, endpoint: it });
    if (elsewhere) enter.push({ kind: 'move', section, endpoint: it });
    if (found === undefined || elsewhere || found.admin !== 'ready') open.push({ kind: 'open', section, id: it.id });
  }
  const named = new Set(endpoints.map(({ section, it }) => `${section}/${it.id}`));
  const leave = actual.servers
    .filter((it) => it.admin === 'ready' && !named.has(`${it.section}/${it.id}`))
    .map((it): Change => ({ kind: 'leave', section: it.section, id: it.id }));
  return { enter, open, routes: routeChanges(actual.routes, wanted.routes), leave };
}

/** New routes first, old ones last: a path that moves to a longer or shorter prefix is never without a route. */
function routeChanges(actual: Actual['routes'], wanted: readonly RouteEntry[]): Change[] {
  const matches = new Set(wanted.map((it) => it.match));
  const there = wanted.filter((it) => actual.has(it.match) && actual.get(it.match) !== it.section);
  const missing = wanted.filter((it) => !actual.has(it.match));
  const gone = [...actual.keys()].filter((it) => !matches.has(it));
  return [
    ...missing.map((it): Change => ({ kind: 'route-add', ...it })),
    ...there.map((it): Change => ({ kind: 'route-set', ...it })),
    ...gone.map((match): Change => ({ kind: 'route-delete', match })),
  ];
}

/** Above this many the whole map is replaced in one step instead. */
export const SINGLE_ROUTE_CHANGES = 16;

type CommandTable = { [K in Change['kind']]: (change: Extract<Change, { kind: K }>, map: string) => string[] };

/** A new server starts in maintenance, unchecked. `health up`: an address just found good does not wait for a check. */
const COMMANDS: CommandTable = {
  add: ({ section, endpoint }) => [
    `add server ${section}/${endpoint.id} ${addressText(endpoint)} ${SERVER_OPTIONS}`,
    `enable health ${section}/${endpoint.id}`,
    `set server ${section}/${endpoint.id} state drain`,
  ],
  move: ({ section, endpoint }) => [
    `set server ${section}/${endpoint.id} addr ${endpoint.address} port ${endpoint.port}`,
  ],
  open: ({ section, id }) => [
    `set server ${section}/${id} health up`,
    `set server ${section}/${id} weight 100`,
    `set server ${section}/${id} state ready`,
  ],
  'route-add': ({ match, section }, map) => [`add map ${map} ${match} ${section}`],
  'route-set': ({ match, section }, map) => [`set map ${map} ${match} ${section}`],
  'route-delete': ({ match }, map) => [`del map ${map} ${match}`],
  leave: ({ section, id }) => [`set server ${section}/${id} state drain`],
};

/** The command lines that carry a change out; `map` is the path of the map file. */
export function commands(change: Change, map: string): string[] {
  const build = COMMANDS[change.kind] as (change: Change, map: string) => string[];
  return build(change, map);
}

/**
 * Sections in which nobody would be left: something leaves, endpoints are named, and none of these can take requests.
 * `reachable` are the newcomers that accept connections.
 */
export function withoutSuccessor(
  actual: Actual,
  sections: readonly Section[],
  changes: Changes,
  reachable: ReadonlySet<string>,
): Set<string> {
  const leaving = new Set(changes.leave.map((it) => ('section' in it ? it.section : '')));
  const opening = new Set(changes.open.map((it) => (it.kind === 'open' ? `${it.section}/${it.id}` : '')));
  const up = new Set(actual.servers.filter((it) => it.up).map((it) => `${it.section}/${it.id}`));
  const serves = (section: string, id: string) => {
    const name = `${section}/${id}`;
    return opening.has(name) ? reachable.has(name) : up.has(name);
  };
  const stuck = sections.filter(
    ({ name, endpoints }) => leaving.has(name) && endpoints.length > 0 && !endpoints.some((it) => serves(name, it.id)),
  );
  return new Set(stuck.map((it) => it.name));
}
