/**
 * Hints become calls: one at a time for one pull request, several pull requests at once. A hint that comes before its
 * call has begun joins it, one that comes during it means one more call, so duplicates and disorder are harmless. A call
 * that fails is made again, later and later, and holds up nobody else.
 */
import pLimit from 'p-limit';
import pRetry from 'p-retry';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Hint, PullNumber } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';

/** What is called; each reads what it needs again, and may be called once too often. */
export interface HintHandlers {
  /** One pull request may have changed. */
  readonly onPull: (number: PullNumber) => Promise<void>;
  /** A comment was created. Those of one pull request come one after another. */
  readonly onComment: (id: number, number: PullNumber) => Promise<void>;
  readonly onPush: () => Promise<void>;
  /** Anything may have changed. */
  readonly onAll: () => Promise<void>;
}

export interface HintQueueArgs {
  readonly handlers: HintHandlers;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Calls at once: for comments, which want an answer within seconds, and for everything else. */
  readonly parallelComments?: number;
  readonly parallel?: number;
  /** Wait before the second try; it doubles. */
  readonly retryMs?: number | undefined;
}

export interface HintQueue {
  /** Resolves once a call has succeeded that began after this; rejects when it failed several times. */
  add(hint: Hint): Promise<void>;
  /** Calls that are waiting or under way. */
  size(): number;
}

const PARALLEL = 4;
const RETRY_MS = 1_000;
const RETRIES = 3;

/** One call that is wanted, and everybody who waits for it. */
interface Wish {
  readonly hint: Hint;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Wishes of one lane by what they are about, in the order in which they came; their calls are made one by one. */
type Lane = Map<string, Wish>;

/** The queue; it works until the signal aborts. */
export function createHintQueue(args: HintQueueArgs): HintQueue {
  const { handlers, log, signal } = args;
  const lanes = new Map<string, Lane>();
  const comments = pLimit(args.parallelComments ?? PARALLEL);
  const others = pLimit(args.parallel ?? PARALLEL);
  let underWay = 0;

  /** A try takes up all who wait at its beginning, those who came while an earlier one failed, too. */
  async function attempt(lane: Lane, subject: string, hint: Hint, served: Wish[]): Promise<void> {
    const limit = hint.kind === 'comment' ? comments : others;
    await limit(async () => {
      signal.throwIfAborted();
      const wish = lane.get(subject);
      if (wish !== undefined) served.push(wish);
      lane.delete(subject);
      await call(handlers, hint);
    });
  }

  async function serve(lane: Lane, subject: string, hint: Hint): Promise<void> {
    const served: Wish[] = [];
    underWay += 1;
    try {
      await pRetry(() => attempt(lane, subject, hint, served), {
        retries: RETRIES,
        minTimeout: args.retryMs ?? RETRY_MS,
        signal,
        shouldRetry: ({ error }) => isSlipwayError(error) && error.retry !== 'new-revision',
      });
      for (const it of served) it.resolve();
    } catch (error) {
      if (!signal.aborted) log.warn({ error, hint }, 'a hint could not be followed');
      // Aborted before it began: nobody has taken up who waits.
      const left = lane.get(subject);
      if (signal.aborted && left !== undefined) served.push(left);
      if (signal.aborted) lane.delete(subject);
      for (const it of served) it.reject(error);
    } finally {
      underWay -= 1;
    }
  }

  async function run(name: string, lane: Lane): Promise<void> {
    for (;;) {
      const next = lane.entries().next();
      if (next.done === true) break;
      const [subject, wish] = next.value;
      await serve(lane, subject, wish.hint);
    }
    lanes.delete(name);
  }

  return {
    add(hint) {
      const { name, subject } = placeOf(hint);
      const present = lanes.get(name);
      const lane: Lane = present ?? new Map();
      const wish = lane.get(subject) ?? wishFor(hint);
      lane.set(subject, wish);
      if (present === undefined) {
        lanes.set(name, lane);
        void run(name, lane);
      }
      return wish.promise;
    },
    size: () => underWay + [...lanes.values()].reduce((sum, it) => sum + it.size, 0),
  };
}

/** Its lane, and what it is about there. */
function placeOf(hint: Hint): { readonly name: string; readonly subject: string } {
  switch (hint.kind) {
    case 'pull':
      return { name: `pull ${hint.number}`, subject: '' };
    case 'comment':
      return { name: `comments ${hint.number}`, subject: String(hint.id) };
    case 'push':
    case 'all':
      return { name: hint.kind, subject: '' };
  }
}

async function call(handlers: HintHandlers, hint: Hint): Promise<void> {
  switch (hint.kind) {
    case 'pull':
      return await handlers.onPull(hint.number);
    case 'comment':
      return await handlers.onComment(hint.id, hint.number);
    case 'push':
      return await handlers.onPush();
    case 'all':
      return await handlers.onAll();
  }
}

function wishFor(hint: Hint): Wish {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Not everybody who asks waits for the end.
  promise.catch(() => undefined);
  return { hint, promise, resolve, reject };
}
