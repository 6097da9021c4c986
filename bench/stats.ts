/** Samples → what is reported of them. Pure. */

export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @throws for an empty list */
export function summarize(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error('there are no samples');
  return { min, median: median(sorted), max };
}

/** The middle value, or the mean of the two in the middle. @throws for an empty list */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  if (low === undefined || high === undefined) throw new Error('there are no samples');
  return (low + high) / 2;
}

/** The value that this part of the samples does not exceed: 0.95 for p95; 1 for the largest. @throws for an empty list */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  if (found === undefined) throw new Error('there are no samples');
  return found;
}
