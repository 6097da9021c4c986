/** Messages of a bucket as its readers see them. */
import { unpackText } from './body.ts';
import { decodeKey } from './encode.ts';
import type { Entry } from './port.ts';
import type { Message } from './table.ts';

/** A message as an entry; a deletion has the value null. */
export async function entryOf(message: Message): Promise<Entry> {
  const value: unknown = message.deleted ? null : JSON.parse(await unpackText(message.body));
  return { key: decodeKey(message.key), value, revision: message.sequence };
}
