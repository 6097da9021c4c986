/** Waiting: sleeps, first-true conditions and repeated attempts, each ended by a signal. */
import { setTimeout as delay } from 'node:timers/promises';

/** Sleeps; returns early, without throwing, when the signal aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** Calls the listener after a change; the function it returns ends that. */
export type Subscribe = (listener: () => void) => () => void;

/**
 * Resolves with the first value that is not undefined; looked at now, after every change, and every `everyMs`.
 *
 * @throws the signal's reason when it aborts first
 */
export async function until<T>(
  look: () => T | undefined,
  subscribe: Subscribe,
  everyMs: number,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const check = () => {
      try {
        const found = look();
        if (found === undefined) return;
        end();
        resolve(found);
      } catch (error) {
        end();
        reject(error as Error);
      }
    };
    const give = () => {
      end();
      reject(signal.reason as Error);
    };
    const unsubscribe = subscribe(check);
    const timer = setInterval(check, everyMs);
    const end = () => {
      clearInterval(timer);
      unsubscribe();
      signal.removeEventListener('abort', give);
    };
    signal.addEventListener('abort', give, { once: true });
    check();
  });
}

/** Many may listen; a listener that throws is a bug and stops the others. */
export function createBell(): { ring: () => void; subscribe: Subscribe } {
  const listeners = new Set<() => void>();
  return {
    ring: () => {
      for (const it of listeners) it();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
