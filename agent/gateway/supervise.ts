/** Keeps HAProxy running: looks after it several times a second, and tries held ports again now and then. */
import type { Logger } from '../../schemas/logger.ts';
import type { GatewayClock } from './clock.ts';
import type { GatewayPaths } from './paths.ts';
import { trimLog } from './process.ts';

export interface SuperviseDeps {
  readonly clock: GatewayClock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly alive: () => Promise<boolean>;
  /** HAProxy runs and serves the last table. */
  readonly revive: () => Promise<void>;
  /** Whether a port of the last table could not be had. */
  readonly blocked: () => boolean;
  readonly paths: Pick<GatewayPaths, 'log'>;
}

const LOOK_MS = 150;
const CHORES_MS = 10_000;
const LONGEST_BACKOFF_MS = 5_000;

/** Runs until the signal aborts; never throws. */
export async function supervise(deps: SuperviseDeps): Promise<void> {
  const { clock, log, signal } = deps;
  let backoffMs = LOOK_MS;
  let choresAt = clock.now() + CHORES_MS;
  for (;;) {
    await clock.sleep(backoffMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      const chores = clock.now() >= choresAt;
      if (chores) choresAt = clock.now() + CHORES_MS;
      if (chores) await trimLog(deps.paths.log);
      const alive = await deps.alive();
      if (!alive) log.warn({}, 'HAProxy is gone; it is started again');
      if (!alive || (chores && deps.blocked())) await deps.revive();
      backoffMs = LOOK_MS;
    } catch (error) {
      backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
      log.error({ err: error }, 'HAProxy could not be started');
    }
  }
}
