/** Makes streams again that went away under a living connection: those in memory do when their server restarts. */
import type { Logger } from '../../schemas/logger.ts';
import type { Connection } from './connection.ts';

export interface Repair {
  /** Resolves when an attempt was made, whatever came of it. Attempts are shared, and made at most twice a second. */
  readonly now: () => Promise<void>;
  stop(): void;
}

const AT_MOST_EVERY_MS = 500;

/** Repairs after every reconnect, and when asked. */
export function createRepair(deps: {
  readonly connection: Connection;
  readonly ensure: () => Promise<void>;
  readonly log: Logger;
}): Repair {
  const stopped = new AbortController();
  let underWay: Promise<void> | null = null;
  let last = Number.NEGATIVE_INFINITY;

  async function attempt(): Promise<void> {
    try {
      await deps.ensure();
    } catch (error) {
      deps.log.warn({ error }, 'the streams of the state could not be checked');
    } finally {
      last = performance.now();
      underWay = null;
    }
  }

  function begin(): Promise<void> {
    underWay ??= attempt();
    return underWay;
  }

  deps.connection.onChange((connected) => {
    if (connected) void begin();
  }, stopped.signal);
  return {
    async now() {
      if (stopped.signal.aborted) return;
      if (underWay === null && performance.now() - last < AT_MOST_EVERY_MS) return;
      await begin();
    },
    stop: () => stopped.abort(),
  };
}
