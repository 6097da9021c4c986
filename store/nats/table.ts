/** A table over a JetStream stream. Everything is read from the stream's leader. */
import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Asset } from '../assets.ts';
import type { Message, Table } from '../table.ts';
import type { Connection } from './connection.ts';
import { isNobodyThere, isStreamMissing } from './failures.ts';
import { OPERATION_HEADER } from './operation-header.ts';
import type { RoomCheck } from './room.ts';
import { openTail } from './tail.ts';

export interface NatsTableDeps {
  readonly connection: Connection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly asset: Asset;
  /** A stream was found missing: one in memory is gone when its server was restarted. */
  readonly repair: () => Promise<void>;
  /** Called before a write that goes to the server's disk. */
  readonly room: RoomCheck | null;
}

const WRITE_ID_HEADER = 'Nats-Msg-Id';
const EXPECTED_HEADER = 'Nats-Expected-Last-Subject-Sequence';

/** The table of an asset. */
export function createNatsTable({ connection, client, manager, asset, repair, room }: NatsTableDeps): Table {
  const root = `${asset.subjects}.`;

  async function call<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await connection.call(request);
    } catch (error) {
      // Outside of the limited call: the repair makes calls of its own.
      const cause = error instanceof Error ? error.cause : null;
      if (isStreamMissing(cause) || isNobodyThere(cause)) await repair();
      throw error;
    }
  }

  function messageOf(stored: StoredMsg): Message {
    return {
      key: stored.subject.slice(root.length),
      sequence: stored.seq,
      body: stored.data,
      writeId: stored.header.get(WRITE_ID_HEADER) || null,
      deleted: stored.header.has(OPERATION_HEADER),
    };
  }

  async function get(query: { last_by_subj: string } | { seq: number }): Promise<Message | null> {
    const stored = await call(async () => await manager.streams.getMessage(asset.stream, query));
    return stored === null ? null : messageOf(stored);
  }

  return {
    ttlMs: asset.ttlMs,
    last: async (key) => await get({ last_by_subj: root + key }),
    lastUnder: async (prefix) => await get({ last_by_subj: `${root}${prefix}.*` }),
    at: async (sequence) => await get({ seq: sequence }),

    async keys(filter) {
      const query = { subjects_filter: root + filter };
      const { state } = await call(async () => await manager.streams.info(asset.stream, query));
      return Object.keys(state.subjects ?? {})
        .map((subject) => subject.slice(root.length))
        .toSorted();
    },

    async state() {
      const { created, state } = await call(async () => await manager.streams.info(asset.stream));
      return { created: String(created), first: state.first_seq, last: state.last_seq };
    },

    tail: async (options) => await openTail({ connection, manager, stream: asset.stream, root }, options),

    onRestored(listener, signal) {
      connection.onChange((connected) => {
        if (connected) listener();
      }, signal);
    },

    async write({ key, body, expected, writeId, deleted }) {
      if (asset.storage === 'file') await room?.();
      const fields = headers();
      if (expected !== undefined) fields.set(EXPECTED_HEADER, String(expected));
      if (writeId !== undefined) fields.set(WRITE_ID_HEADER, writeId);
      if (deleted === true) fields.set(OPERATION_HEADER, 'DEL');
      const ack = await call(async () => await client.publish(root + key, body, { headers: fields }));
      return ack.seq;
    },
  };
}
