/** A work queue in memory: hands out and takes back as a durable JetStream consumer does. */
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Clock } from '../clock.ts';
import type { HandedOut, Queue } from '../queue.ts';
import type { Message, Table } from '../table.ts';

export interface MemoryQueueDeps {
  readonly table: Table;
  readonly clock: Clock;
  /** Handed out again when nothing was heard for so long. */
  readonly ackMs: number;
}

interface Item {
  readonly message: Message;
  tries: number;
  /** When it may be handed out, in monotonic time. */
  dueMs: number;
}

const WAIT_MS = 5_000;
/** Ids are remembered as long as a stream remembers message ids. */
const ID_WINDOW_MS = 120_000;

/** The queue over a table of its own. */
export function createMemoryQueue({ table, clock, ackMs }: MemoryQueueDeps): Queue {
  const items = new Map<number, Item>();
  const ids = new Map<string, number>();
  const waiting = new Set<() => void>();
  let attached: Promise<unknown> | null = null;

  function wakeAll(): void {
    for (const wake of waiting) wake();
  }

  function attach(): Promise<unknown> {
    attached ??= table.tail({
      from: 1,
      headersOnly: false,
      onMessage(message) {
        items.set(message.sequence, { message, tries: 0, dueMs: 0 });
        wakeAll();
      },
      onBroken() {},
    });
    attached.catch(() => {
      attached = null;
    });
    return attached;
  }

  function handOut(item: Item): HandedOut {
    const { sequence, body } = item.message;
    item.tries += 1;
    item.dueMs = performance.now() + ackMs;
    const put = (delayMs: number) => {
      item.dueMs = performance.now() + delayMs;
      wakeAll();
    };
    return {
      body,
      tries: item.tries,
      done: () => void items.delete(sequence),
      again: put,
      working: () => put(ackMs),
    };
  }

  /** Due ones that are still in the table; it forgets old ones. */
  async function due(count: number): Promise<Item[]> {
    const { first } = await table.state();
    for (const sequence of items.keys()) if (sequence < first) items.delete(sequence);
    const now = performance.now();
    return [...items.values()].filter((it) => it.dueMs <= now).slice(0, count);
  }

  return {
    async add({ key, id, body }) {
      for (const [oldest, at] of ids) {
        if (at + ID_WINDOW_MS > clock.now()) break;
        ids.delete(oldest);
      }
      if (ids.has(id)) return 'seen';
      try {
        await table.write({ key, body, expected: 0, writeId: id });
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return 'seen';
        throw error;
      }
      ids.set(id, clock.now());
      return 'stored';
    },

    async take({ count, onMessage, signal }) {
      await attach();
      const untilMs = performance.now() + WAIT_MS;
      while (!signal.aborted && performance.now() < untilMs) {
        const found = await due(count);
        if (signal.aborted) return;
        for (const item of found) onMessage(handOut(item));
        if (found.length > 0) return;
        const nextMs = Math.min(untilMs, ...[...items.values()].map((it) => it.dueMs));
        await pause(Math.max(1, nextMs - performance.now()), signal);
      }
    },
  };

  /** Until something was added or given back, or the time passed. */
  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      timer.unref();
      waiting.add(end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
