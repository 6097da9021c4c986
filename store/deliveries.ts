/**
 * Deliveries: what hooks told, kept until somebody has acted on it. At least once, also across crashes; one that always
 * fails is dropped with an event and never holds up others, one that fails for an outage waits for its end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { packText, unpackText } from './body.ts';
import type { Clock } from './clock.ts';
import { encodeName } from './encode.ts';
import type { Patience } from './patience.ts';
import type { Deliveries, Events } from './port.ts';
import type { HandedOut, Queue } from './queue.ts';

export interface DeliveriesDeps {
  readonly queue: Queue;
  readonly events: Events;
  readonly patiently: Patience;
  /** Handed out again when nothing was heard for so long. */
  readonly ackMs: number;
  /** Aborts when the store is closed. */
  readonly closed: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
}

const IN_FLIGHT = 256;
const TRIES = 8;
/** Some three days of tries, for those that fail by no fault of theirs. */
const TRIES_IN_OUTAGES = 5_000;
/** In parts of the time after which a silent one is handed out again: 1 s to 60 s by default. */
const FIRST_DELAY = 0.1;
const LONGEST_DELAY = 6;

/** Wait before the next try after `tries` of them, in milliseconds. */
function delayMs(ackMs: number, tries: number): number {
  return Math.round(ackMs * Math.min(FIRST_DELAY * 2 ** Math.min(tries - 1, 20), LONGEST_DELAY));
}

/** Whether something else than the delivery has to change: an outage, credentials, a lease. */
function isOutage(error: unknown): boolean {
  return isSlipwayError(error) && error.retry !== 'new-revision';
}

/** The deliveries over a queue. */
export function createDeliveries(deps: DeliveriesDeps): Deliveries {
  const { queue, events, patiently, ackMs, closed, clock, log } = deps;

  async function drop(why: string, tries: number): Promise<void> {
    log.error({ why }, 'a delivery was dropped');
    await events.publish({
      at: new Date(clock.now()).toISOString(),
      kind: 'delivery.dropped',
      namespace: null,
      deploy: null,
      machine: null,
      actor: 'controller',
      message: `a delivery failed ${tries} times and was dropped: ${why}`,
    });
  }

  async function handle(message: HandedOut, handler: (value: unknown) => Promise<void>): Promise<void> {
    try {
      await handler(JSON.parse(await unpackText(message.body)));
      message.done();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (message.tries < (isOutage(error) ? TRIES_IN_OUTAGES : TRIES)) {
        log.warn({ error, tries: message.tries }, 'a delivery failed; it is tried again');
        message.again(delayMs(ackMs, message.tries));
        return;
      }
      message.done();
      await drop(why, message.tries).catch((failure: unknown) =>
        log.error({ error: failure }, 'an event was not written'),
      );
    }
  }

  return {
    async put({ id, twin, value }) {
      const body = await packText(JSON.stringify(value), 'large');
      return await patiently(() => queue.add({ key: encodeName(twin), id, body }));
    },

    async consume(handler, until) {
      const signal = AbortSignal.any([until, closed]);
      const ended = abortOf(signal);
      const inFlight = new Map<HandedOut, Promise<void>>();
      const beat = setInterval(() => {
        for (const message of inFlight.keys()) message.working();
      }, ackMs / 3);
      const onMessage = (message: HandedOut) => {
        const handling = handle(message, handler).finally(() => inFlight.delete(message));
        inFlight.set(message, handling);
      };
      try {
        while (!signal.aborted) {
          const count = IN_FLIGHT - inFlight.size;
          if (count === 0) await Promise.race([...inFlight.values(), ended]);
          else await take(count, onMessage);
        }
      } finally {
        clearInterval(beat);
        // Others need not wait for what we do not finish.
        if (!closed.aborted) for (const message of inFlight.keys()) message.again(0);
      }

      async function take(free: number, hear: (message: HandedOut) => void): Promise<void> {
        try {
          const forMs = Number.POSITIVE_INFINITY;
          await patiently(() => queue.take({ count: free, onMessage: hear, signal }), { forMs, signal });
        } catch (error) {
          if (signal.aborted) return;
          log.error({ error }, 'deliveries cannot be read; it is tried again');
          await sleep(ackMs, undefined, { signal }).catch(() => undefined);
        }
      }
    },
  };
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
