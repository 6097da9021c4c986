/**
 * What a technology has to offer for the store: append-only tables of messages with one sequence each, as a JetStream
 * stream is one. NATS and memory implement this; log, buckets, leases, specs and events are written once above it.
 *
 * Every call may throw SlipwayError: STATE_UNAVAILABLE (for a write: the outcome is unclear), STATE_CONFLICT (another
 * sequence than expected is the last of the key; nothing was written), STATE_FULL.
 */

/** One message. `key` is encoded; `writeId` names the write that made it; `deleted` marks a key that is gone. */
export interface Message {
  readonly key: string;
  readonly sequence: number;
  readonly body: Uint8Array;
  readonly writeId: string | null;
  readonly deleted: boolean;
}

/** `created` changes when the table was replaced by another; `last` is the highest sequence ever given. */
export interface TableState {
  readonly created: string;
  readonly first: number;
  readonly last: number;
}

export interface TailOptions {
  readonly from: number;
  /** Bodies are left empty. */
  readonly headersOnly: boolean;
  readonly onMessage: (message: Message) => void;
  /** Messages may have been missed; the tail gives none any more. */
  readonly onBroken: () => void;
}

/** `pending`: messages that were already there when it began. */
export interface Tail {
  readonly pending: number;
  readonly stop: () => void;
}

export interface ReadTable {
  /** How long a message lives; null: for ever. */
  readonly ttlMs: number | null;
  /** The last message of a key, a deletion too. Never stale. */
  readonly last: (key: string) => Promise<Message | null>;
  /** The newest message whose key is `prefix` and one more name. Never stale. */
  readonly lastUnder: (prefix: string) => Promise<Message | null>;
  readonly at: (sequence: number) => Promise<Message | null>;
  /** Keys that fit a filter with `*` and `>`, deleted ones too, in order. */
  readonly keys: (filter: string) => Promise<string[]>;
  readonly state: () => Promise<TableState>;
  readonly tail: (options: TailOptions) => Promise<Tail>;
  /** Calls after a lost connection is back, until the signal aborts. */
  readonly onRestored: (listener: () => void, signal: AbortSignal) => void;
}

export interface Write {
  readonly key: string;
  readonly body: Uint8Array;
  /** Sequence that must be the last of the key; 0: the key must have no message. */
  readonly expected?: number;
  readonly writeId?: string;
  readonly deleted?: boolean;
}

export interface Table extends ReadTable {
  /** Gives the message's sequence. */
  readonly write: (write: Write) => Promise<number>;
}

/** The table of the log can be read, and appended to in one way only. */
export interface LogTable extends ReadTable {
  /** Stores the body under a key that has no message yet. Called by store/log.ts only. */
  readonly appendEntry: (key: string, body: Uint8Array) => Promise<void>;
}
