/** What the client is held to, and what it may be told otherwise. */

export interface GithubLimits {
  /** One request, from the first byte sent to the last one read. */
  readonly requestTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** A rate limit that ends within this is waited for. */
  readonly longestWaitMs: number;
  /** After a create of unclear outcome, until it is looked for. */
  readonly settleMs: number;
  /** The first wait before a read is sent again; the n-th is n² times as long. */
  readonly retryMs: number;
  readonly etagBytes: number;
  readonly maxPages: number;
}

export const DEFAULT_LIMITS: GithubLimits = {
  requestTimeoutMs: 15_000,
  maxAnswerBytes: 16 * 2 ** 20,
  longestWaitMs: 20_000,
  settleMs: 1000,
  retryMs: 1000,
  etagBytes: 16 * 2 ** 20,
  maxPages: 300,
};
