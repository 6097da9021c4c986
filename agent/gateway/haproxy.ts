/** The running HAProxy: adopted, started, reloaded. Each is believed only once the process itself confirms it. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { GatewayClock } from './clock.ts';
import { checkRendered, readFiles, writeFiles } from './files.ts';
import type { GatewayPaths } from './paths.ts';
import { alertsSince, end, findProcesses, isAlive, launch, logEnd, masters, type ProcessRef } from './process.ts';
import type { Rendered, RenderOptions } from './render.ts';
import type { Runtime } from './runtime.ts';
import type { GatewayState } from './state.ts';

export interface HaproxyDeps {
  readonly binary: string;
  readonly paths: GatewayPaths;
  readonly render: RenderOptions;
  readonly runtime: Runtime;
  readonly clock: GatewayClock;
  readonly log: Logger;
  /** Marks a point at which a crash must do no harm. */
  readonly trace: (point: string) => void;
}

/** What is to be served: the files' texts and the state that they were made from. */
export interface Wanted {
  readonly rendered: Rendered;
  readonly state: GatewayState;
}

const ADOPT_MS = 2_000;
const START_MS = 10_000;
const RELOAD_MS = 20_000;

/**
 * The master that runs with our configuration and answers; null: none. Leftovers that do not answer, or a second one,
 * are ended: two on the same ports would each take half of the connections.
 */
export async function adopt(deps: HaproxyDeps): Promise<ProcessRef | null> {
  const until = deps.clock.now() + ADOPT_MS;
  for (;;) {
    const found = await findProcesses(deps.paths.config);
    if (found.length === 0) return null;
    const answering = await deps.runtime.processes();
    const master = masters(found).find((it) => it.pid === answering?.master);
    if (master !== undefined && (await currentWorker(deps)) !== null) {
      await end(
        masters(found).filter((it) => it !== master),
        'SIGKILL',
        deps.clock,
      );
      return master;
    }
    if (deps.clock.now() >= until) {
      deps.log.warn({ pids: found.map((it) => it.pid) }, 'HAProxy runs but does not answer; it is started anew');
      await end(found, 'SIGKILL', deps.clock);
      return null;
    }
    await deps.clock.sleep(50);
  }
}

/** The worker that takes new connections; null: there is none. */
export async function currentWorker(deps: Pick<HaproxyDeps, 'runtime'>): Promise<number | null> {
  const processes = await deps.runtime.processes();
  for (const pid of [...(processes?.workers ?? []), ...(processes?.oldWorkers ?? [])]) {
    if ((await deps.runtime.info(pid))?.stopping === false) return pid;
  }
  return null;
}

/** Writes the files and starts HAProxy with them. @throws GATEWAY_FAILED, SETUP_FAILED */
export async function startFresh(deps: HaproxyDeps, wanted: Wanted): Promise<ProcessRef> {
  const { paths, clock } = deps;
  await end(await findProcesses(paths.config), 'SIGKILL', clock);
  await checkRendered(deps.binary, paths, wanted.rendered);
  await writeFiles(paths, { config: wanted.rendered.config, routes: wanted.rendered.routes, state: wanted.state });
  deps.trace('gateway.start');
  const logged = await logEnd(paths.log);
  const master = await launch(deps.binary, paths);
  const until = clock.now() + START_MS;
  for (;;) {
    const worker = await currentWorker(deps).catch(() => null);
    if (worker !== null && (await deps.runtime.info(worker))?.shape === wanted.rendered.shape) break;
    const alive = await isAlive(master);
    if (!alive || clock.now() >= until) {
      const alerts = await alertsSince(paths.log, logged);
      if (alive) await end([master], 'SIGKILL', clock);
      throw new SlipwayError('GATEWAY_FAILED', `HAProxy did not start: ${alerts[0] ?? 'it says nothing'}`, {
        alerts,
      });
    }
    await clock.sleep(10);
  }
  deps.log.info({ pid: master.pid }, 'HAProxy started');
  return master;
}

/**
 * A new worker serves the files; the old one hands over and ends with its last session.
 * @throws GATEWAY_FAILED: the old worker serves on, and the files are what they were
 */
export async function reload(deps: HaproxyDeps, wanted: Wanted): Promise<void> {
  const { paths, runtime } = deps;
  await checkRendered(deps.binary, paths, wanted.rendered);
  const lastGood = await readFiles(paths);
  deps.trace('gateway.reload.write');
  await writeFiles(paths, { config: wanted.rendered.config, routes: wanted.rendered.routes, state: wanted.state });
  deps.trace('gateway.reload');
  const logged = await logEnd(paths.log);
  try {
    const before = await runtime.processes();
    await runtime.reload();
    const known = [...(before?.workers ?? []), ...(before?.oldWorkers ?? [])];
    if (!(await reloaded(deps, known, before?.reloads ?? 0, wanted))) {
      const alerts = await alertsSince(paths.log, logged);
      const why = alerts[0] ?? 'no reason given';
      throw new SlipwayError(
        'GATEWAY_FAILED',
        `HAProxy did not take the new configuration, the last good one serves: ${why}`,
        { alerts },
      );
    }
  } catch (error) {
    await writeFiles(paths, lastGood);
    throw error;
  }
  deps.trace('gateway.reloaded');
}

/** `reload` itself answers nothing: the process list does. Old workers must have seen that they are to stop. */
async function reloaded(deps: HaproxyDeps, known: readonly number[], reloads: number, wanted: Wanted) {
  const { runtime, clock } = deps;
  const until = clock.now() + RELOAD_MS;
  while (clock.now() < until) {
    const now = await runtime.processes();
    if (now !== null && now.reloads > reloads) {
      if (now.failedReloads > 0) return false;
      const fresh = now.workers.find((it) => !known.includes(it));
      const serves = fresh !== undefined && (await runtime.info(fresh))?.shape === wanted.rendered.shape;
      const old = await Promise.all(now.oldWorkers.map((it) => runtime.info(it)));
      if (serves && old.every((it) => it === null || it.stopping)) return true;
    }
    await clock.sleep(10);
  }
  return false;
}
