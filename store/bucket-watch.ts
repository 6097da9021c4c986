/**
 * Watching a bucket: never an older value after a newer one, and a null also for what went without a word: entries
 * that were gone after a stream was replaced, and entries that expired (servers before 2.11 do not announce that).
 */
import type { Logger } from '../schemas/logger.ts';
import { type Clock, startStopwatch } from './clock.ts';
import { decodeKey } from './encode.ts';
import { entryOf } from './entry.ts';
import { follow } from './follow.ts';
import type { Patience } from './patience.ts';
import type { Entry } from './port.ts';
import type { Message, Table } from './table.ts';

export interface BucketWatchDeps {
  readonly table: Table;
  readonly patiently: Patience;
  readonly clock: Clock;
  readonly watchCheckMs: number;
  readonly log: Logger;
  readonly present: () => Promise<Message[]>;
}

interface Known {
  readonly sequence: number;
  readonly ageMs: () => number;
}

/** As port.ts says of `Bucket.watch`. */
export async function watchBucket(
  { table, patiently, clock, watchCheckMs, log, present }: BucketWatchDeps,
  onChange: (change: Entry) => void,
  signal: AbortSignal,
): Promise<void> {
  const known = new Map<string, Known>();
  const order = createOrder(log);

  function accept(message: Message): void {
    if ((known.get(message.key)?.sequence ?? 0) >= message.sequence) return;
    if (message.deleted) known.delete(message.key);
    else known.set(message.key, { sequence: message.sequence, ageMs: startStopwatch(clock) });
    void order.run(async () => tell(await entryOf(message)));
  }

  function vanish(key: string, { sequence }: Known): void {
    known.delete(key);
    void order.run(async () => tell({ key: decodeKey(key), value: null, revision: sequence }));
  }

  function tell(entry: Entry): void {
    if (!signal.aborted) onChange(entry);
  }

  await follow(
    { table, patiently, checkMs: watchCheckMs, log },
    {
      async present() {
        const messages = await present();
        const before = [...known];
        known.clear();
        for (const message of messages) accept(message);
        for (const [key, was] of before) if (!known.has(key)) vanish(key, was);
        await order.run(async () => {});
      },
      changed: accept,
      caughtUp() {
        const { ttlMs } = table;
        if (ttlMs === null) return;
        for (const [key, it] of known) if (it.ageMs() >= ttlMs) vanish(key, it);
      },
    },
    signal,
  );
}

/** Runs one after the other, whatever each takes: decompression must not let a small value overtake a large one. */
function createOrder(log: Logger) {
  let queue: Promise<void> = Promise.resolve();
  return {
    run(task: () => Promise<void>): Promise<void> {
      queue = queue.then(task).catch((error: unknown) => log.error({ error }, 'a watcher of a bucket threw'));
      return queue;
    },
  };
}
