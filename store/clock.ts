/** Time as the store sees it. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() };

/**
 * Milliseconds since it was started, by the clock or by the monotonic time of the process, whichever says more: a
 * wall clock that is set back must not make a lease look younger, and one that jumps ahead only makes it look older.
 */
export function startStopwatch(clock: Clock): () => number {
  const wall = clock.now();
  const steady = performance.now();
  return () => Math.max(clock.now() - wall, performance.now() - steady);
}
