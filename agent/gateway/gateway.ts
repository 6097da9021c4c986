/**
 * The gateway: makes HAProxy follow routing tables, and keeps it running while we run. The implementation of the
 * `Gateway` port.
 *
 * A port of the table that another program has does not keep the rest from being served: `apply` carries everything
 * else out, then throws PORT_CONFLICT whose `details.conflicts` names port, namespace, service and holder. It does so
 * each time while the port is held, so a caller that works for one namespace looks whether it is among them. Held
 * ports are tried again every ten seconds. `portHolders` answers before a deploy begins.
 */
import { mkdir, rm } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { createLimit } from '../locks.ts';
import type { Gateway } from '../ports.ts';
import type { GatewayClock } from './clock.ts';
import { conflictsOf, portConflict } from './conflict.ts';
import { drainEndpoint } from './drain.ts';
import { adopt, currentWorker, type HaproxyDeps } from './haproxy.ts';
import { checkTable, type GatewayTable } from './layout.ts';
import { createLeavers } from './leavers.ts';
import { hasIpv6, type PortHolder, takenPorts } from './listeners.ts';
import { parseFrontends } from './parse.ts';
import { pass } from './pass.ts';
import { gatewayPaths } from './paths.ts';
import { end, findProcesses, isAlive, type ProcessRef } from './process.ts';
import { httpFrontend, tcpFrontend } from './render.ts';
import { createRuntime } from './runtime.ts';
import { emptyState, type GatewayState, readState } from './state.ts';
import { supervise } from './supervise.ts';

export interface GatewayDeps {
  /** Holds everything of the gateway; `stop` removes it. */
  readonly dir: string;
  readonly httpPort: number;
  readonly installation: string;
  readonly log: Logger;
  readonly clock: GatewayClock;
  readonly haproxyBinary?: string;
  /** Marks points at which a crash must do no harm (store/trace.ts). */
  readonly trace?: (point: string) => void;
}

export interface HaproxyGateway extends Gateway {
  /** Those of the ports that another program has, with its name and pid; a port that the gateway itself has is free. */
  portHolders(ports: readonly number[]): Promise<PortHolder[]>;
  /** Ids of all servers and keys of all routes that HAProxy itself says it has; nothing when it does not run. */
  held(): Promise<{ readonly servers: readonly string[]; readonly routes: readonly string[] }>;
}

/** A gateway of one installation on this machine; nothing happens before `start` or `apply`. */
export function createGateway(deps: GatewayDeps): HaproxyGateway {
  const { log, clock, httpPort } = deps;
  const paths = gatewayPaths(deps.dir, deps.installation);
  const runs = async () => (await findProcesses(paths.config)).length > 0;
  const runtime = createRuntime({ path: paths.masterSocket, clock, runs });
  const turn = createLimit(1);
  const stopping = new AbortController();
  const leavers = createLeavers();
  let master: ProcessRef | null = null;
  let state: GatewayState | null = null;
  let blocked: readonly PortHolder[] = [];
  let failure: string | null = null;

  const prepare = async (): Promise<HaproxyDeps> => {
    if (stopping.signal.aborted) throw new SlipwayError('GATEWAY_FAILED', 'the gateway was stopped');
    await mkdir(paths.dir, { recursive: true, mode: 0o700 });
    state ??= (await readState(paths.state)) ?? emptyState;
    const { binary, trace } = { binary: deps.haproxyBinary ?? 'haproxy', trace: deps.trace ?? (() => {}) };
    const render = { installation: deps.installation, paths, ipv6: await hasIpv6() };
    return { binary, paths, render, runtime, clock, log, trace };
  };

  const follow = async (table: GatewayTable): Promise<void> => {
    const haproxy = await prepare();
    try {
      const served = leavers.without(table);
      const result = await pass(haproxy, { master, state: state ?? emptyState, table: served, httpPort });
      ({ master, state, blocked } = result);
      failure = null;
    } catch (error) {
      failure = error instanceof Error ? error.message : 'HAProxy could not be made to follow the routing table';
      throw error;
    }
  };
  const followLast = () => turn(() => follow(state?.table ?? emptyState.table));
  const alive = async () => master !== null && (await isAlive(master));

  return {
    async start(signal) {
      await turn(async () => {
        const haproxy = await prepare();
        master = await adopt(haproxy);
        if (master === null) await follow(state?.table ?? emptyState.table);
        else log.info({ pid: master.pid }, 'HAProxy adopted');
      });
      const until = AbortSignal.any([signal, stopping.signal]);
      void supervise({
        clock,
        log,
        signal: until,
        alive,
        revive: followLast,
        blocked: () => blocked.length > 0,
        paths,
      });
    },

    async apply(table) {
      checkTable(table);
      await turn(async () => {
        leavers.named(table);
        await follow(table);
      });
      const conflicts = conflictsOf(table, httpPort, blocked);
      if (conflicts.length > 0) throw portConflict(conflicts);
    },

    async drain(id, deadlineMs, signal) {
      leavers.begin(id);
      try {
        await turn(async () => {
          master ??= await adopt(await prepare());
        });
        return await drainEndpoint({ runtime, clock, turn, alive }, id, deadlineMs, signal);
      } finally {
        leavers.end(id);
      }
    },

    status: () => ({
      httpPort: master === null || blocked.some((it) => it.port === httpPort) ? null : httpPort,
      problems: [
        ...blocked.map((it) => `port ${it.port} is held by ${it.holder}`),
        ...(failure === null ? [] : [failure]),
      ],
    }),

    async stop() {
      stopping.abort();
      await turn(async () => {
        await end(await findProcesses(paths.config), 'SIGTERM', clock);
        master = null;
        await rm(paths.dir, { recursive: true, force: true });
      });
    },

    async held() {
      return await turn(async () => {
        const haproxy = await prepare();
        const worker = await currentWorker(haproxy);
        if (worker === null) return { servers: [], routes: [] };
        const servers = await runtime.servers(worker);
        const routes = await runtime.routes(worker, paths.routes);
        return { servers: [...new Set(servers.map((it) => it.id))], routes: [...routes.keys()] };
      });
    },

    async portHolders(ports) {
      return await turn(async () => {
        const haproxy = await prepare();
        master ??= await adopt(haproxy);
        const worker = master === null ? null : await currentWorker(haproxy);
        const own = new Set(worker === null ? [] : parseFrontends(await runtime.frontends(worker)));
        const foreign = ports.filter((it) => !own.has(tcpFrontend(it)) && !own.has(httpFrontend(it)));
        return await takenPorts(foreign, haproxy.render.ipv6);
      });
    },
  };
}
