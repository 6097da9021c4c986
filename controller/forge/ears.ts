/** Where all hints come together: stored deliveries of webhooks and of polling go through one queue to whoever acts. */
import { Delivery } from '../../schemas/delivery.ts';
import type { Hint } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Store } from '../../store/port.ts';
import { createHintQueue, type HintHandlers } from './hint-queue.ts';
import { createPoller, type PollClock } from './poll.ts';
import type { Forge } from './port.ts';

export interface EarsArgs {
  readonly store: Pick<Store, 'deliveries' | 'bucket' | 'onConnection'>;
  readonly forge: Pick<Forge, 'identity' | 'listPulls' | 'listComments'>;
  readonly handlers: HintHandlers;
  /** For `createPoller`. */
  readonly onPolled?: (failure: unknown) => Promise<void>;
  readonly pollMs?: number | null;
  /** For `createHintQueue`. */
  readonly retryMs?: number | undefined;
  readonly clock: PollClock;
  readonly random: () => number;
  readonly log: Logger;
}

export interface Ears {
  /** For `createHttpServer({ github })`. */
  readonly hook: {
    readonly repositoryId: () => number | null;
    readonly put: Store['deliveries']['put'];
    readonly heard: (number: number | null) => void;
    readonly missed: () => void;
  };
  /** A hint of our own, such as that a preview changed; coalesced with those that are waiting. */
  add(hint: Hint): Promise<void>;
  /** Calls that are waiting or under way. */
  size(): number;
  /** Listens until the signal aborts. */
  run(): Promise<void>;
}

/** Ears that hear until the signal aborts. */
export function createEars(args: EarsArgs, signal: AbortSignal): Ears {
  const { store, log } = args;
  const queue = createHintQueue({ handlers: args.handlers, log, signal, retryMs: args.retryMs });
  const poller = createPoller({
    forge: args.forge,
    deliveries: store.deliveries,
    cursors: store.bucket('cursors'),
    onConnection: (onChange, until) => store.onConnection(onChange, until),
    all: () => queue.add({ kind: 'all' }),
    onPolled: async (failure) => await args.onPolled?.(failure),
    pollMs: args.pollMs ?? null,
    clock: args.clock,
    random: args.random,
    log,
  });
  const repositoryId = () => poller.identity()?.repositoryId ?? null;

  async function act(value: unknown): Promise<void> {
    const delivery = Delivery.parse(value);
    const ours = repositoryId();
    // It may have come before we knew which repository is ours.
    if (ours !== null && delivery.repositoryId !== null && delivery.repositoryId !== ours) return;
    await queue.add(delivery.hint);
  }

  return {
    hook: {
      repositoryId,
      put: (delivery) => store.deliveries.put(delivery),
      heard: (number) => poller.heard(number),
      missed: () => poller.missed(),
    },
    add: (hint) => queue.add(hint),
    size: () => queue.size(),
    async run() {
      await Promise.all([store.deliveries.consume(act, signal), poller.run(signal)]);
    },
  };
}
