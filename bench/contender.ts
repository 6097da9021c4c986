/** What both contenders can do; rounds of them are compared. */
import type { Endpoint } from './services.ts';

/** A change that was made and is being carried out. */
interface Change {
  /** When the user's part was over, in milliseconds of the epoch: from here on it is waited for. */
  readonly madeAtMs: number;
  /** Resolves when nothing is left to do, old containers included. */
  readonly over: Promise<void>;
}

export interface Contender {
  /** Where clients find the services. */
  endpoints(count: number): readonly Endpoint[];
  /** All `count` services shall be of this version. */
  change(count: number, version: string): Promise<Change>;
  close(): Promise<void>;
}
