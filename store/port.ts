/**
 * The store port: everything the rest of the house may ask of the state. Two adapters (nats.ts, memory.ts), one
 * contract suite.
 *
 * Keys are lists of names; one injective encoder (store/encode.ts) makes subjects and keys of them. Foreign errors
 * become SlipwayError at the adapter: STATE_UNAVAILABLE, STATE_CONFLICT, STATE_FULL.
 */
import type { SlipwayEvent } from '../schemas/event.ts';
import type { LogEntry, Release } from '../schemas/release.ts';
import type { Fence } from '../schemas/step.ts';

export type Key = readonly string[];

/** KV buckets. `observed` lives in memory for 90 s; `leases` is reached through `Leases` only. */
export type BucketName =
  | 'cluster'
  | 'deploys'
  | 'machines'
  | 'namespaces'
  | 'secrets'
  | 'intents'
  | 'cursors'
  | 'heads'
  | 'consents'
  | 'freezes'
  /** Pull requests, by number. */
  | 'pulls'
  /** Preview namespaces, by name. */
  | 'previews'
  /** Commands in comments that were taken, by comment id: each once, ever. */
  | 'commands'
  | 'observed';

export interface Entry {
  readonly key: Key;
  readonly value: unknown;
  readonly revision: number;
}

export interface Bucket {
  /** Read from the leader. */
  get(key: Key): Promise<Entry | null>;
  /** Entries whose key begins with `prefix`, in order of encoded key. */
  list(prefix?: Key): Promise<Entry[]>;
  /** @throws STATE_CONFLICT when the key exists. */
  create(key: Key, value: unknown): Promise<number>;
  /** @throws STATE_CONFLICT when the entry's revision is another. */
  update(key: Key, value: unknown, revision: number): Promise<number>;
  put(key: Key, value: unknown): Promise<number>;
  delete(key: Key): Promise<void>;
  /**
   * Calls `onChange` for every present entry, then for every change (null value: deleted), across lost connections,
   * until the signal aborts. Resolves once the present entries were delivered. An entry may be delivered twice.
   */
  watch(onChange: (change: Entry) => void, signal: AbortSignal): Promise<void>;
}

/** `committed`: the log holds our entry (also when an earlier try of ours got there). `lost`: another's entry is at n. */
export type AppendOutcome = { readonly outcome: 'committed' } | { readonly outcome: 'lost'; readonly winner: LogEntry };

export interface Log {
  /**
   * Append at exactly entry.namespace / entry.n. A 503 or time-out is resolved by reading n until it is known; ours
   * is recognised by (kind, deploy, canonical bytes). @throws STATE_UNAVAILABLE when the signal aborts first.
   */
  append(entry: LogEntry, signal?: AbortSignal): Promise<AppendOutcome>;
  read(namespace: string, n: number): Promise<LogEntry | null>;
  /** Highest n of the namespace; 0: none. */
  tip(namespace: string): Promise<number>;
  /** Ascending. `from` 1 by default. */
  entries(namespace: string, range?: { readonly from?: number; readonly to?: number }): Promise<LogEntry[]>;
  /** The highest release, unless a `removed` entry came after it. */
  live(namespace: string): Promise<Release | null>;
  /** Namespaces that ever had an entry, in order. */
  namespaces(): Promise<string[]>;
  /** Calls `onTip` with the present tip of each namespace, then with each new one, across lost connections. */
  watch(onTip: (namespace: string, n: number) => void, signal: AbortSignal): Promise<void>;
}

export interface Specs {
  /** Stores each value once under sha256 of its canonical JSON; gives the digests in the same order. */
  put(values: readonly unknown[]): Promise<string[]>;
  /** @throws STATE_UNAVAILABLE; a missing digest is a bug and throws a plain error. */
  get(digest: string): Promise<unknown>;
}

export interface Lease {
  readonly fence: Fence;
  /** Aborts when the lease is lost or could not be renewed in time. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface Leases {
  /** null: somebody else holds it. Kept alive until released; lives at most 30 s after its holder died. */
  acquire(name: Key, owner: string): Promise<Lease | null>;
  holder(name: Key): Promise<string | null>;
  /** Takes the lease from an owner that is known to be dead; false: it is no longer that owner's. */
  revoke(name: Key, owner: string): Promise<boolean>;
}

export interface Events {
  publish(event: SlipwayEvent): Promise<void>;
  /** The last `limit` events, oldest first. */
  list(limit: number): Promise<SlipwayEvent[]>;
  follow(onEvent: (event: SlipwayEvent) => void, signal: AbortSignal): Promise<void>;
}

/** What hooks told, kept until somebody has acted on it. */
export interface Deliveries {
  /**
   * Stored once. `seen`: one of this id, or of the same twin (what it says, by the words of the caller) within three
   * days, is stored already. @throws STATE_UNAVAILABLE, STATE_FULL: nothing is known to be stored
   */
  put(delivery: { readonly id: string; readonly twin: string; readonly value: unknown }): Promise<'stored' | 'seen'>;
  /**
   * Hands each value over at least once, several at a time, until the signal aborts; done when the handler resolves. One
   * whose handler rejects comes again, later and later: for as long as it is kept when the error is an outage, a few
   * times otherwise; then it is dropped with an event. Resolves when it has ended.
   */
  consume(handler: (value: unknown) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** Core NATS: lost when nobody listens. Payloads are JSON. */
export interface Messages {
  /** @throws MACHINE_UNREACHABLE when nobody answers in time, STATE_UNAVAILABLE when not connected. */
  request(subject: Key, payload: unknown, timeoutMs: number): Promise<unknown>;
  /** The handler's result is the reply; when it throws, the requester gets no reply. */
  serve(subject: Key, handler: (payload: unknown) => Promise<unknown>, signal: AbortSignal): void;
  publish(subject: Key, payload: unknown): void;
  /** `subject` may end with '*' to match one more name. */
  subscribe(subject: Key, onMessage: (payload: unknown, subject: Key) => void, signal: AbortSignal): void;
}

export interface Store {
  readonly log: Log;
  readonly specs: Specs;
  readonly leases: Leases;
  readonly events: Events;
  readonly deliveries: Deliveries;
  readonly messages: Messages;
  bucket(name: BucketName): Bucket;
  /** Generation of fences: lies in the cluster record, 1 for a new installation. */
  generation(): Promise<number>;
  /** `connected` now, and calls on every change until the signal aborts. */
  onConnection(onChange: (connected: boolean) => void, signal: AbortSignal): void;
  close(): Promise<void>;
}
