/**
 * What a technology has to offer for work that is handed out until it is done. NATS and memory implement this; what is
 * done about failures is written once above it (store/deliveries.ts).
 */

/** A message handed out: until `done` or `again` it is handed out once more when nothing was heard for a while. */
export interface HandedOut {
  readonly body: Uint8Array;
  /** How often it was handed out, this time included; kept across restarts. */
  readonly tries: number;
  /** It is not handed out any more. */
  readonly done: () => void;
  readonly again: (delayMs: number) => void;
  /** Somebody is still at it. */
  readonly working: () => void;
}

export interface Queue {
  /**
   * Stores the body under a key that has no message yet, and under an id that was not given lately.
   * @throws STATE_UNAVAILABLE (the outcome is unclear), STATE_FULL
   */
  readonly add: (message: {
    readonly key: string;
    readonly id: string;
    readonly body: Uint8Array;
  }) => Promise<'stored' | 'seen'>;
  /**
   * Hands out at most `count`, as they come. Resolves after that, after a few seconds, or when the signal aborts; what
   * comes later than that is not lost. @throws STATE_UNAVAILABLE
   */
  readonly take: (args: {
    readonly count: number;
    readonly onMessage: (message: HandedOut) => void;
    readonly signal: AbortSignal;
  }) => Promise<void>;
}
