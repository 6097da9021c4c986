/** The store over NATS JetStream. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Logger } from '../schemas/logger.ts';
import { assembleStore } from './assemble.ts';
import { assetsOf, DEFAULT_TIMING, type StoreTiming } from './assets.ts';
import type { Clock } from './clock.ts';
import { openConnection } from './nats/connection.ts';
import { createNatsMessages } from './nats/messages.ts';
import { createNatsQueue } from './nats/queue.ts';
import { createRepair } from './nats/repair.ts';
import { createRoomCheck } from './nats/room.ts';
import { ensureStreams } from './nats/streams.ts';
import { createNatsTable } from './nats/table.ts';
import { createPatience } from './patience.ts';
import type { Store } from './port.ts';

export interface ConnectNatsOptions {
  /** `nats://[TOKEN@]HOST[:PORT]`, or several with commas. */
  readonly url: string;
  /** What the server lists this connection as. */
  readonly name: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** How long to wait for a server that does not answer yet, 30 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly timing?: Partial<StoreTiming>;
  readonly installation?: string | null;
  /** Folder of the server's files, where it runs on this machine: nothing is written when its disk is nearly full. */
  readonly storeDir?: string;
}

const CONNECT_TIMEOUT_MS = 30_000;
/** A call that takes longer is unclear and is resolved by reading. */
const REQUEST_TIMEOUT_MS = 2_500;

/**
 * Connects, and makes the streams of the state where they are missing or different.
 *
 * @throws STATE_UNAVAILABLE when NATS does not answer in time or the signal aborts; SETUP_FAILED for a server that is
 * too old, or whose log was lost.
 */
export async function connectNats(options: ConnectNatsOptions): Promise<Store> {
  const { url, name, log, clock, signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const assets = assetsOf(timing);
  const connection = await openConnection({ url, name, timeoutMs, signal, log });
  try {
    const manager = await jetstreamManager(connection.client, { checkAPI: false, timeout: REQUEST_TIMEOUT_MS });
    const client = jetstream(connection.client, { timeout: REQUEST_TIMEOUT_MS });
    const ensure = async () => await ensureStreams({ connection, manager, assets, log });
    // JetStream may still be reading its files when the server already answers.
    const patiently = createPatience({ forMs: timeoutMs, closed: new AbortController().signal });
    await patiently(ensure, { signal });

    const room = options.storeDir === undefined ? null : createRoomCheck(options.storeDir);
    const repair = createRepair({ connection, ensure, log });
    const table = (asset: keyof typeof assets) =>
      createNatsTable({ connection, client, manager, asset: assets[asset], repair: repair.now, room });
    const logTable = table('log');
    return assembleStore({
      timing,
      clock,
      log,
      installation: options.installation ?? null,
      technology: {
        table,
        logTable: {
          ...logTable,
          async appendEntry(key, body) {
            await logTable.write({ key, body, expected: 0 });
          },
        },
        queue: (name) =>
          createNatsQueue({
            connection,
            client,
            manager,
            asset: assets[name],
            ackMs: timing.deliveryAckMs,
            repair: repair.now,
            room,
          }),
        messages: createNatsMessages({ connection, log }),
        onConnection(onChange, until) {
          onChange(connection.connected());
          connection.onChange(onChange, until);
        },
        async close() {
          repair.stop();
          await connection.close();
        },
      },
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
}
