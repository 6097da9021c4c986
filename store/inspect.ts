/** A look at a NATS server from outside of the store: works also where the streams of the state are missing. */
import { jetstreamManager } from '@nats-io/jetstream';
import { silentLogger } from '../schemas/logger.ts';
import { assetsOf, DEFAULT_TIMING } from './assets.ts';
import { unpackText } from './body.ts';
import { encodeName } from './encode.ts';
import { openConnection } from './nats/connection.ts';

export interface NatsView {
  readonly version: string;
  /** null: JetStream does not answer. */
  readonly jetstream: { readonly storedBytes: number; readonly streamCount: number } | null;
  /** The machine's last observation, and when the server took it in (epoch milliseconds); null: there is none. */
  readonly observation: { readonly takenInAtMs: number; readonly value: unknown } | null;
}

/** @throws STATE_UNAVAILABLE when it does not answer, SETUP_FAILED when it is too old */
export async function inspectNats(args: {
  readonly url: string;
  readonly machine: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<NatsView> {
  const { url, machine, timeoutMs, signal } = args;
  const connection = await openConnection({ url, timeoutMs, signal, name: 'slipway doctor', log: silentLogger });
  try {
    const manager = await jetstreamManager(connection.client, { checkAPI: false, timeout: timeoutMs });
    const account = await connection.call(() => manager.getAccountInfo()).catch(() => null);
    const { stream, subjects } = assetsOf(DEFAULT_TIMING).observed;
    const query = { last_by_subj: `${subjects}.${encodeName(machine)}` };
    const stored =
      account === null
        ? null
        : await connection.call(() => manager.streams.getMessage(stream, query)).catch(() => null);
    return {
      version: connection.client.info?.version ?? 'unknown',
      jetstream: account === null ? null : { storedBytes: account.storage, streamCount: account.streams },
      observation:
        stored === null
          ? null
          : { takenInAtMs: stored.time.getTime(), value: JSON.parse(await unpackText(stored.data)) as unknown },
    };
  } finally {
    await connection.close();
  }
}
