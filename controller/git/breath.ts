/**
 * Long work over objects that are in memory already never waits for anything, and so would keep everybody else waiting:
 * it takes a breath now and then.
 */
import { setImmediate as others } from 'node:timers/promises';

/** Work goes on for so long before others have a turn. */
const BREATH_MS = 20;

/** Resolves at once, or after everybody else had a turn when the last one is long ago. Throws when the signal has aborted. */
export function createBreath(signal: AbortSignal): () => Promise<void> {
  let lastMs = performance.now();
  return async () => {
    signal.throwIfAborted();
    if (performance.now() - lastMs < BREATH_MS) return;
    await others();
    lastMs = performance.now();
  };
}
