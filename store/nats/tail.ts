/**
 * The tail of a stream: an ephemeral push consumer of our own, without acknowledgements. It numbers its deliveries; a
 * gap in the numbers breaks it. Whoever uses it opens another then.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { createInbox, type Msg } from '@nats-io/transport-node';
import type { Tail, TailOptions } from '../table.ts';
import type { Connection } from './connection.ts';
import { OPERATION_HEADER } from './operation-header.ts';

export interface TailDeps {
  readonly connection: Connection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  /** What precedes the key in a subject. */
  readonly root: string;
}

const NANOS_PER_MS = 1_000_000;
/** The server forgets a consumer that nobody has listened to for so long. */
const FORGOTTEN_MS = 30_000;

/** Opens it; messages may arrive before this resolves. */
export async function openTail({ connection, manager, stream, root }: TailDeps, options: TailOptions): Promise<Tail> {
  const inbox = createInbox();
  let deliveries = 0;
  let open = true;

  function receive(error: Error | null, message: Msg): void {
    if (!open) return;
    const position = error === null ? deliveryOf(message.reply ?? '') : null;
    // A status message of the server has no position and no subject of ours.
    if (error === null && position === null) return;
    if (position?.delivery !== deliveries + 1) {
      open = false;
      options.onBroken();
      return;
    }
    deliveries += 1;
    options.onMessage({
      key: message.subject.slice(root.length),
      sequence: position.sequence,
      body: message.data,
      writeId: null,
      deleted: message.headers?.has(OPERATION_HEADER) ?? false,
    });
  }

  const subscription = connection.client.subscribe(inbox, { callback: receive });
  const close = (): void => {
    open = false;
    if (!connection.client.isClosed()) subscription.unsubscribe();
  };
  try {
    const consumer = await connection.call(
      async () =>
        await manager.consumers.add(stream, {
          deliver_subject: inbox,
          deliver_policy: DeliverPolicy.StartSequence,
          opt_start_seq: options.from,
          ack_policy: AckPolicy.None,
          inactive_threshold: FORGOTTEN_MS * NANOS_PER_MS,
          mem_storage: true,
          num_replicas: 1,
          ...(options.headersOnly ? { headers_only: true } : {}),
        }),
    );
    return {
      pending: consumer.num_pending + consumer.delivered.consumer_seq,
      stop() {
        close();
        if (!connection.connected()) return;
        connection.call(async () => await manager.consumers.delete(stream, consumer.name)).catch(() => {});
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Stream and consumer sequence of a delivery, from its reply subject: `$JS.ACK.<stream>.<consumer>.<tries>.<stream
 * seq>.<consumer seq>.<time>.<pending>`, with domain and account before the stream on newer servers (ADR-15).
 */
export function deliveryOf(reply: string): { sequence: number; delivery: number } | null {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return null;
  const at = tokens.length === 9 ? 5 : 7;
  return { sequence: Number(tokens[at]), delivery: Number(tokens[at + 1]) };
}
