/** Waiting for something that another process is about to make true. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs the assertion until it holds; after `withinMs` its own failure is thrown. */
export async function eventually(assertion: () => void | Promise<void>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(10);
    }
  }
}
