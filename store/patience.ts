/** Tries a call again while the store does not answer, for a bounded time or until told to stop. */
import pRetry from 'p-retry';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';

/** Runs `op` (with the number of the attempt, from 1) again as long as it throws STATE_UNAVAILABLE and patience lasts. */
export type Patience = <T>(op: (attempt: number) => Promise<T>, options?: PatienceOptions) => Promise<T>;

interface PatienceOptions {
  /** Infinity: until the signal aborts or the store is closed. */
  readonly forMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** @param closed aborts when the store is closed: nothing is tried again after that. */
export function createPatience(deps: { readonly forMs: number; readonly closed: AbortSignal }): Patience {
  return async (op, { forMs = deps.forMs, signal } = {}) => {
    try {
      return await pRetry(op, {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: 25,
        maxTimeout: 250,
        maxRetryTime: forMs,
        shouldRetry: ({ error }) => isSlipwayError(error, 'STATE_UNAVAILABLE') && !deps.closed.aborted,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) {
        throw new SlipwayError('STATE_UNAVAILABLE', 'stopped waiting for the store', {}, error);
      }
      throw error;
    }
  };
}
