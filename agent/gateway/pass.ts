/**
 * One pass: HAProxy serves a table. What it runs is read from itself each time, never from memory, so a pass after a
 * crash between any two lines finishes what an earlier one began.
 */
import { SlipwayError } from '../../schemas/errors.ts';
import { assign } from './assign.ts';
import { type Actual, type Changes, commands, diff, SINGLE_ROUTE_CHANGES, withoutSuccessor } from './diff.ts';
import { removeServer } from './drain.ts';
import { writeFiles } from './files.ts';
import { adopt, currentWorker, type HaproxyDeps, reload, startFresh, type Wanted } from './haproxy.ts';
import { type GatewayTable, httpKeys, type Layout, layoutOf } from './layout.ts';
import { type PortHolder, takenPorts } from './listeners.ts';
import { parseFrontends } from './parse.ts';
import { isAlive, type ProcessRef } from './process.ts';
import { isReachable } from './reach.ts';
import { httpFrontend, render, tcpFrontend } from './render.ts';
import type { GatewayState } from './state.ts';

/** What is known from the last pass. */
export interface PassInput {
  readonly master: ProcessRef | null;
  readonly state: GatewayState;
  readonly table: GatewayTable;
  readonly httpPort: number;
}

export interface PassResult {
  readonly master: ProcessRef;
  readonly state: GatewayState;
  /** Ports of the table that other programs have; everything else is served. */
  readonly blocked: readonly PortHolder[];
}

const REACH_MS = 1_000;

/** @throws GATEWAY_FAILED: what was served is served still; SETUP_FAILED */
export async function pass(deps: HaproxyDeps, input: PassInput): Promise<PassResult> {
  const { table, httpPort } = input;
  const alive = input.master !== null && (await isAlive(input.master)) ? input.master : null;
  const master = alive ?? (await adopt(deps));
  const worker = master === null ? null : await currentWorker(deps);
  const servers = worker === null ? [] : await deps.runtime.servers(worker);

  const assignment = assign(input.state.assignment, httpKeys(table), new Set(servers.map((it) => it.section)));
  const state = { assignment, table };
  const blocked = await blockedPorts(deps, worker, table, httpPort);
  const layout = layoutOf(table, assignment, { http: httpPort, blocked: new Set(blocked.map((it) => it.port)) });
  const wanted = { rendered: render(layout, deps.render), state };

  if (master === null || worker === null) return { master: await startFresh(deps, wanted), state, blocked };
  // Kept before anything takes a section, so that a pass after a crash gives it to the same service.
  await writeFiles(deps.paths, { config: null, routes: null, state: { assignment, table: input.state.table } });
  const actual = { servers, routes: await deps.runtime.routes(worker, deps.paths.routes) };
  await converge(deps, worker, actual, layout, wanted);
  return { master, state, blocked };
}

/** Wanted ports that neither HAProxy has already nor can get. */
async function blockedPorts(deps: HaproxyDeps, worker: number | null, table: GatewayTable, httpPort: number) {
  const frontends = new Set(worker === null ? [] : parseFrontends(await deps.runtime.frontends(worker)));
  const tcp = table.tcp.map((it) => it.listenPort).filter((it) => !frontends.has(tcpFrontend(it)));
  const wanted = frontends.has(httpFrontend(httpPort)) ? tcp : [httpPort, ...tcp];
  return await takenPorts(wanted, deps.render.ipv6);
}

async function converge(deps: HaproxyDeps, worker: number, actual: Actual, layout: Layout, wanted: Wanted) {
  const changes = diff(actual, layout);
  const reachable = await reachableOf(deps, layout, changes);
  const stuck = withoutSuccessor(actual, layout.sections, changes, reachable);
  const sameShape = (await deps.runtime.info(worker))?.shape === wanted.rendered.shape;
  if (!sameShape) {
    // A reload leaves the old servers behind at once, so it must not happen while one of them has no successor.
    if (stuck.size === 0) await reload(deps, wanted);
  } else {
    await enter(deps, worker, changes);
    await writeFiles(deps.paths, { ...wanted.rendered, state: wanted.state });
    deps.trace('gateway.written');
    await route(deps, worker, changes, layout);
    deps.trace('gateway.routed');
    const leave = changes.leave.filter((it) => it.kind === 'leave' && !stuck.has(it.section));
    await run(deps, worker, leave);
    deps.trace('gateway.left');
    await confirm(deps, worker, layout, stuck);
    await forget(deps, worker, actual, layout);
  }
  if (stuck.size > 0) throw unreachable(layout, wanted, stuck);
}

/** Newcomers that accept connections, as `section/id`. */
async function reachableOf(deps: HaproxyDeps, layout: Layout, changes: Changes): Promise<Set<string>> {
  const opening = new Set(changes.open.map((it) => (it.kind === 'open' ? `${it.section}/${it.id}` : '')));
  const newcomers = layout.sections.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint) => ({ name: `${name}/${endpoint.id}`, endpoint })).filter((it) => opening.has(it.name)),
  );
  const answers = await Promise.all(newcomers.map((it) => isReachable(it.endpoint, REACH_MS, deps.clock)));
  return new Set(newcomers.filter((_, index) => answers[index]).map((it) => it.name));
}

async function enter(deps: HaproxyDeps, worker: number, changes: Changes): Promise<void> {
  await run(deps, worker, changes.enter);
  deps.trace('gateway.entered');
  await run(deps, worker, changes.open);
  deps.trace('gateway.opened');
}

async function route(deps: HaproxyDeps, worker: number, changes: Changes, layout: Layout): Promise<void> {
  if (changes.routes.length <= SINGLE_ROUTE_CHANGES) await run(deps, worker, changes.routes);
  else {
    const entries = layout.routes.map((it) => [it.match, it.section] as const);
    await deps.runtime.replaceRoutes(worker, deps.paths.routes, entries);
  }
}

async function run(deps: HaproxyDeps, worker: number, changes: Changes['enter']): Promise<void> {
  if (changes.length === 0) return;
  const said = await deps.runtime.run(
    worker,
    changes.flatMap((it) => commands(it, deps.paths.routes)),
  );
  if (said.trim() !== '') deps.log.warn({ said: said.trim().slice(0, 1_000) }, 'HAProxy answered a change');
}

/** HAProxy's own state is the verdict on what it was told. */
async function confirm(deps: HaproxyDeps, worker: number, layout: Layout, stuck: ReadonlySet<string>): Promise<void> {
  const [servers, routes] = [await deps.runtime.servers(worker), await deps.runtime.routes(worker, deps.paths.routes)];
  const { enter, open, routes: unrouted, leave } = diff({ servers, routes }, layout);
  const left = leave.filter((it) => it.kind === 'leave' && !stuck.has(it.section));
  const missing = [...enter, ...open, ...unrouted, ...left];
  if (missing.length === 0) return;
  throw new SlipwayError('GATEWAY_FAILED', `HAProxy did not carry out ${missing.length} changes`, {
    missing: missing.slice(0, 10),
  });
}

/** Servers that an earlier pass took traffic from and that nobody drains any more (we crashed) go once they are idle. */
async function forget(deps: HaproxyDeps, worker: number, actual: Actual, layout: Layout): Promise<void> {
  const named = new Set(layout.sections.flatMap(({ name, endpoints }) => endpoints.map((it) => `${name}/${it.id}`)));
  for (const { section, id, admin } of actual.servers) {
    if (admin === 'ready' || named.has(`${section}/${id}`)) continue;
    const sessions = (await deps.runtime.sessionCounts(worker, section)).get(id) ?? 0;
    if (sessions === 0) await removeServer(deps.runtime, { worker, section }, id);
  }
}

function unreachable(layout: Layout, wanted: Wanted, stuck: ReadonlySet<string>): SlipwayError {
  const keys = new Map(Object.entries(wanted.state.assignment.sections).map(([key, section]) => [section, key]));
  const ports = new Map(wanted.state.table.tcp.map((it) => [`tcp_${it.listenPort}`, it.backend]));
  const backends = layout.sections
    .filter((it) => stuck.has(it.name))
    .map((it) => keys.get(it.name) ?? ports.get(it.name) ?? it.name);
  return new SlipwayError(
    'GATEWAY_FAILED',
    `no new endpoint of ${backends.join(', ')} accepts connections, so the old ones keep serving`,
    { backends },
  );
}
