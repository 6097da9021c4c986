/** Buckets of records: keys of names, JSON values, a revision each. */
import { canonicalJson } from '../schemas/canonical.ts';
import type { Logger } from '../schemas/logger.ts';
import { packText } from './body.ts';
import { watchBucket } from './bucket-watch.ts';
import type { Clock } from './clock.ts';
import { encodeKey } from './encode.ts';
import { entryOf } from './entry.ts';
import type { Patience } from './patience.ts';
import type { Bucket, Key } from './port.ts';
import type { Message, Table } from './table.ts';
import { createWriter } from './write.ts';

export interface BucketDeps {
  readonly table: Table;
  readonly patiently: Patience;
  readonly clock: Clock;
  readonly watchCheckMs: number;
  readonly log: Logger;
}

/** A bucket that can also delete only what it has read. */
export interface RevisionedBucket extends Bucket {
  /** @throws STATE_CONFLICT when the entry's revision is another. */
  deleteRevision(key: Key, revision: number): Promise<void>;
}

/** The bucket over a table. */
export function createBucket(deps: BucketDeps): RevisionedBucket {
  const { table, patiently } = deps;
  const writer = createWriter({ table, patiently });
  const pack = (value: unknown) => packText(canonicalJson(value), 'large');
  const lastOf = (encoded: string) => patiently(() => table.last(encoded));

  async function present(prefix: Key = []): Promise<Message[]> {
    const filters = prefix.length === 0 ? ['>'] : [encodeKey(prefix), `${encodeKey(prefix)}.>`];
    const keys = await Promise.all(filters.map((filter) => patiently(() => table.keys(filter))));
    const messages = await Promise.all(keys.flat().toSorted(byText).map(lastOf));
    return messages.filter((it) => it !== null && !it.deleted) as Message[];
  }

  return {
    async get(key) {
      const message = await lastOf(encodeKey(key));
      return message === null || message.deleted ? null : await entryOf(message);
    },
    list: async (prefix) => await Promise.all((await present(prefix)).map(entryOf)),
    create: async (key, value) => await writer.create(encodeKey(key), await pack(value)),
    update: async (key, value, revision) => await writer.update(encodeKey(key), await pack(value), revision),
    put: async (key, value) => await writer.put(encodeKey(key), await pack(value)),
    delete: async (key) => await writer.remove(encodeKey(key)),
    deleteRevision: async (key, revision) => await writer.remove(encodeKey(key), revision),
    watch: async (onChange, signal) => await watchBucket({ ...deps, present: () => present() }, onChange, signal),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
