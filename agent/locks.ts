/** Turns: one at a time for a key, at most N at a time, or one pass for all who ask while another runs. */

/** Runs `work` when it is its turn. @throws the signal's reason when it aborts before that. */
export type Turn = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** At most `count` at a time. */
export function createLimit(count: number): Turn {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const acquire = (signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (free > 0) {
        free -= 1;
        resolve();
        return;
      }
      const enter = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      waiting.push(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  return async (work, signal) => {
    signal?.throwIfAborted();
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}

export interface KeyedLocks {
  /** Alone among all that run under the same key. */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** One at a time for each key; keys that nobody uses take no memory. */
export function createKeyedLocks(): KeyedLocks {
  const locks = new Map<string, { turn: Turn; users: number }>();
  return {
    async run(key, work, signal) {
      const lock = locks.get(key) ?? { turn: createLimit(1), users: 0 };
      locks.set(key, lock);
      lock.users += 1;
      try {
        return await lock.turn(work, signal);
      } finally {
        lock.users -= 1;
        if (lock.users === 0) locks.delete(key);
      }
    },
  };
}

/**
 * Passes of `work` one after another: each call resolves with a pass that began after it, and calls that come while a
 * pass runs share the next one.
 */
export function createShared(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const begin = () => {
    running = work().finally(() => {
      running = null;
    });
    return running;
  };
  return () => {
    if (running === null) return begin();
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return begin();
      });
    return next;
  };
}
