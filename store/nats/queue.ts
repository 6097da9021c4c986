/**
 * A work queue over a JetStream stream and one durable pull consumer. A key is created once (expected sequence 0), so
 * two messages of one key are one; the id is the server's own message id.
 */
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Asset } from '../assets.ts';
import type { HandedOut, Queue } from '../queue.ts';
import type { Connection } from './connection.ts';
import { isNobodyThere, isStreamMissing, translate } from './failures.ts';
import type { RoomCheck } from './room.ts';

export interface NatsQueueDeps {
  readonly connection: Connection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly asset: Asset;
  /** Handed out again when nothing was heard for so long. */
  readonly ackMs: number;
  readonly repair: () => Promise<void>;
  readonly room: RoomCheck | null;
}

const NANOS_PER_MS = 1_000_000;
const CONSUMER = 'controller';
const WAIT_MS = 5_000;

/** The queue of an asset. */
export function createNatsQueue(deps: NatsQueueDeps): Queue {
  const { connection, client, manager, asset, ackMs, repair, room } = deps;
  let consumer: Consumer | null = null;

  async function call<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await connection.call(request);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : null;
      if (isStreamMissing(cause) || isNobodyThere(cause)) await repair();
      throw error;
    }
  }

  /** Makes it when it is missing; its position is the server's. */
  async function open(): Promise<Consumer> {
    const info = await call(
      async () =>
        await manager.consumers.add(asset.stream, {
          durable_name: CONSUMER,
          ack_policy: AckPolicy.Explicit,
          ack_wait: ackMs * NANOS_PER_MS,
          deliver_policy: DeliverPolicy.All,
          max_deliver: -1,
          // What waits for its next try counts, too: it must not keep others from being handed out.
          max_ack_pending: -1,
        }),
    );
    return manager.jetstream().consumers.getConsumerFromInfo(info);
  }

  return {
    async add({ key, id, body }) {
      await room?.();
      const fields = headers();
      fields.set('Nats-Expected-Last-Subject-Sequence', '0');
      fields.set('Nats-Msg-Id', id);
      try {
        const ack = await call(async () => await client.publish(`${asset.subjects}.${key}`, body, { headers: fields }));
        return ack.duplicate ? 'seen' : 'stored';
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return 'seen';
        throw error;
      }
    },

    async take({ count, onMessage, signal }) {
      consumer ??= await open();
      const batch = await consumer.fetch({ max_messages: count, expires: WAIT_MS });
      const ended = new AbortController();
      const stop = () => batch.stop();
      // The client would wait until it misses heartbeats of a connection that is gone.
      connection.onChange((connected) => {
        if (!connected) stop();
      }, ended.signal);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      try {
        for await (const message of batch) onMessage(handedOut(message));
      } catch (error) {
        // It may have been deleted; the next call looks.
        consumer = null;
        throw translate(error);
      } finally {
        ended.abort();
        signal.removeEventListener('abort', stop);
      }
      if (!connection.connected()) consumer = null;
    },
  };
}

function handedOut(message: JsMsg): HandedOut {
  return {
    body: message.data,
    tries: message.info.deliveryCount,
    done: () => message.ack(),
    again: (delayMs) => message.nak(delayMs),
    working: () => message.working(),
  };
}
