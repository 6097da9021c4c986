/** What a benchmark is given and what it gives. */

export interface BenchContext {
  /** The smallest sizes and one round: shows that everything works; the numbers mean nothing. */
  readonly quick: boolean;
  /** Aborts when the run is interrupted; what was started is ended then, too. */
  readonly signal: AbortSignal;
  /** Tells the person who waits how far it is. */
  readonly say: (line: string) => void;
}

/** Measures, ends everything it started, and gives its part of the README as Markdown. */
export type Benchmark = (context: BenchContext) => Promise<string>;
