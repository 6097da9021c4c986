/** Looks after a running nats-server: starts it again when it has died, replaces it when it has locked up. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../schemas/logger.ts';
import { isAlive, type ProcessRecord } from '../process-record.ts';
import type { HealthCheck } from './health.ts';
import { endServer } from './launch.ts';

export interface SuperviseDeps {
  readonly first: ProcessRecord;
  /** false: it was ended on purpose, and is left alone. */
  readonly wanted: () => boolean;
  /** Makes it run again. */
  readonly again: () => Promise<{ server: ProcessRecord }>;
  readonly healthy: HealthCheck;
  readonly healthEveryMs: number;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 250;
const LONGEST_BACKOFF_MS = 5_000;
/** A busy machine may be late once or twice. */
const UNHEALTHY_LOOKS = 3;

/** Until the signal aborts, or the server is no longer wanted; then it is left as it is. */
export async function supervise(deps: SuperviseDeps, signal: AbortSignal): Promise<void> {
  const { healthEveryMs, log } = deps;
  let server = deps.first;
  let failures = 0;
  let unhealthy = 0;
  let looking: Promise<void> | null = null;
  let lookedAt = performance.now();

  const pause = async (ms: number) => {
    await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
  };

  async function lookInside(): Promise<void> {
    const well = await deps.healthy().catch((error: unknown) => {
      log.warn({ error }, 'the health of nats-server cannot be told');
      return true;
    });
    unhealthy = well ? 0 : unhealthy + 1;
    lookedAt = performance.now();
  }

  async function startAgain(): Promise<void> {
    unhealthy = 0;
    try {
      ({ server } = await deps.again());
      failures = 0;
    } catch (error) {
      failures += 1;
      log.error({ error, failures }, 'nats-server could not be started again');
      await pause(Math.min(LOOK_EVERY_MS * 2 ** failures, LONGEST_BACKOFF_MS));
    }
  }

  while (!signal.aborted) {
    await pause(LOOK_EVERY_MS);
    if (signal.aborted || !deps.wanted()) return;
    if (!(await isAlive(server))) {
      log.warn({ pid: server.pid }, 'nats-server is gone: starting it again');
      await startAgain();
    } else if (unhealthy >= UNHEALTHY_LOOKS) {
      log.error({ pid: server.pid }, 'nats-server does not answer any more: replacing it');
      await endServer(server, 1_000);
      await startAgain();
    } else if (looking === null && performance.now() - lookedAt >= healthEveryMs) {
      looking = lookInside().finally(() => {
        looking = null;
      });
    }
  }
}
