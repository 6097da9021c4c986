/**
 * Creates that never double: a request whose answer is lost may have been carried out, so what it makes is looked for
 * before it is sent again.
 */
import { isUnclear } from './failures.ts';

export interface EnsureArgs<T> {
  /** null: it is not there. */
  readonly find: () => Promise<T | null>;
  /** Sent once each time. */
  readonly make: () => Promise<T>;
  /** Gives the forge time to finish what it began. */
  readonly pause: () => Promise<void>;
}

const MAX_SENT = 2;

/** What `find` finds, else what was made. @throws the last error of `make` when it is still not there */
export async function ensureMade<T>({ find, make, pause }: EnsureArgs<T>): Promise<T> {
  const there = await find();
  if (there !== null) return there;
  for (let sent = 1; ; sent++) {
    try {
      return await make();
    } catch (error) {
      if (!isUnclear(error)) throw error;
      await pause();
      const late = await find();
      if (late !== null) return late;
      if (sent === MAX_SENT) throw error;
    }
  }
}
