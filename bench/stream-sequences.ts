/** How many messages each stream of the state has ever taken: the difference of two readings is what was written. */
import { silentLogger } from '../schemas/logger.ts';
import { assetsOf, DEFAULT_TIMING } from '../store/assets.ts';
import { openConnection } from '../store/nats/connection.ts';

export interface StreamSequences {
  /** Stream → its last sequence. KV buckets are streams, too: KV_<name>. */
  read(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Source: NATS reference, JetStream wire API, $JS.API.STREAM.INFO. */
export async function openStreamSequences(url: string): Promise<StreamSequences> {
  const connection = await openConnection({ url, name: 'bench sequences', timeoutMs: 10_000, log: silentLogger });
  const streams = Object.values(assetsOf(DEFAULT_TIMING)).map((it) => it.stream);
  return {
    async read() {
      const found = await Promise.all(
        streams.map(async (stream) => {
          const answer = await connection.client.request(`$JS.API.STREAM.INFO.${stream}`);
          const { state } = answer.json<{ state?: { last_seq: number } }>();
          if (state === undefined) throw new Error(`NATS says nothing of stream ${stream}: ${answer.string()}`);
          return [stream, state.last_seq] as const;
        }),
      );
      return new Map(found);
    },
    close: () => connection.close(),
  };
}
