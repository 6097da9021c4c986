/** Keeps one lease alive: renews it in time, and says at once when that cannot be relied on any more. */
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { StoreTiming } from './assets.ts';
import { type Clock, startStopwatch } from './clock.ts';

export interface KeepAliveDeps {
  readonly what: string;
  readonly create: () => Promise<number>;
  /** Gives the new revision. @throws STATE_CONFLICT when the lease is another's. */
  readonly renew: (revision: number) => Promise<number>;
  readonly timing: StoreTiming;
  readonly clock: Clock;
  /** The store was closed: nobody renews any more. */
  readonly closed: AbortSignal;
  readonly log: Logger;
}

export interface KeepAlive {
  /** Takes the lease and gives the revision of its creation. */
  begin(): Promise<number>;
  readonly lost: AbortSignal;
  /** No further renewal; waits for the one under way. */
  end(): Promise<void>;
}

/** A quarter second at most passes before a paused process that wakes up knows that its lease is gone. */
const LOOK_EVERY_MS = 250;

/**
 * A renewal counts from before it was sent, so the holder's idea of the lease's age is never younger than the
 * store's; `lost` aborts `leaseLostMs` after the last one that was confirmed.
 */
export function keepAlive({ what, create, renew, timing, clock, closed, log }: KeepAliveDeps): KeepAlive {
  const lost = new AbortController();
  let confirmedAgo = startStopwatch(clock);
  let triedAgo = confirmedAgo;
  let revision = 0;
  let underWay: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  function stop(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
    closed.removeEventListener('abort', lose);
  }

  function lose(cause?: unknown): void {
    if (timer === null) return;
    stop();
    log.warn({ lease: what }, 'a lease was lost');
    lost.abort(new SlipwayError('LEASE_LOST', `the lease ${what} was lost`, {}, cause));
  }

  function look(): void {
    if (confirmedAgo() >= timing.leaseLostMs) lose();
    else if (underWay === null && confirmedAgo() >= timing.leaseRenewMs && triedAgo() >= timing.leaseRenewMs / 8) {
      underWay = tryRenew().finally(() => {
        underWay = null;
      });
    }
  }

  async function tryRenew(): Promise<void> {
    const sentAgo = startStopwatch(clock);
    triedAgo = sentAgo;
    try {
      revision = await renew(revision);
      confirmedAgo = sentAgo;
    } catch (error) {
      if (isSlipwayError(error, 'STATE_CONFLICT')) lose(error);
      else log.warn({ error, lease: what }, 'a lease could not be renewed yet');
    }
  }

  return {
    lost: lost.signal,
    async begin() {
      const sentAgo = startStopwatch(clock);
      revision = await create();
      confirmedAgo = sentAgo;
      triedAgo = sentAgo;
      timer = setInterval(look, Math.min(LOOK_EVERY_MS, timing.leaseRenewMs / 8));
      timer.unref();
      if (closed.aborted) lose();
      else closed.addEventListener('abort', lose, { once: true });
      return revision;
    },
    async end() {
      stop();
      await underWay;
    },
  };
}
