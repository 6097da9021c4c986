/** Kill points: the lines of a recorded trace, each as the order that kills the process exactly there. Pure. */

export interface KillPoint {
  /** `<point>#<k>`: what SLIPWAY_KILL_FILE takes. */
  readonly order: string;
  readonly point: string;
}

/** Said again and again while a step takes its time, so how often differs from run to run: the first counts. */
const REPEATED = 'step.reply.accepted';

/** One kill point for each line of the trace, in its order. `k` counts as the process will: by substring. */
export function killPoints(trace: string): KillPoint[] {
  const points = trace
    .split('\n')
    .filter((it) => it !== '')
    .map((it) => (JSON.parse(it) as { point: string }).point);
  return points.flatMap((point, index) => {
    const k = points.slice(0, index + 1).filter((it) => it.includes(point)).length;
    return point === REPEATED && k > 1 ? [] : [{ point, order: `${point}#${k}` }];
  });
}

/** A sample that the seed determines; the same seed gives the same sample. */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  let state = seed >>> 0 || 1;
  const next = () => {
    // xorshift32. Source: Marsaglia, "Xorshift RNGs", 2003.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return all
    .map((it, index) => ({ it, index, at: next() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .toSorted((a, b) => a.index - b.index)
    .map(({ it }) => it);
}
