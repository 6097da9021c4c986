/** How long to wait before looking again. Pure. */

export interface Pace {
  /** Between two looks while all is well. */
  readonly pollMs: number;
  /** Longest wait between two looks after failures. */
  readonly maxPollMs: number;
  /** Part of a wait that is random, so that many installations do not ask one server at once: 0.2 is ±20 %. */
  readonly jitter: number;
  /** Between two tries to read a revision whose reading failed. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
  /** Between two looks that hooks asked for. */
  readonly minGapMs: number;
}

/** A branch on this machine is read four times a second and more; one elsewhere by one request every 15 s. */
export const PACES = {
  local: { pollMs: 200, maxPollMs: 200, jitter: 0, retryMs: 250, maxRetryMs: 5_000, minGapMs: 0 },
  remote: { pollMs: 15_000, maxPollMs: 300_000, jitter: 0.2, retryMs: 5_000, maxRetryMs: 300_000, minGapMs: 1_000 },
} as const satisfies Record<string, Pace>;

/** Wait before the next look after `failures` failed ones in a row; `random` is in [0, 1). */
export function pollDelayMs(
  pace: Pick<Pace, 'pollMs' | 'maxPollMs' | 'jitter'>,
  failures: number,
  random: number,
): number {
  const base = Math.min(pace.pollMs * 2 ** Math.min(failures, 20), pace.maxPollMs);
  return Math.round(base * (1 + pace.jitter * (2 * random - 1)));
}

/** Wait before the same revision is read again after `failures` failed tries. */
export function retryDelayMs(pace: Pace, failures: number): number {
  return Math.min(pace.retryMs * 2 ** Math.min(failures - 1, 20), pace.maxRetryMs);
}
