/** One record changed by compare-and-set: the change is made again on what somebody else wrote in between. */
import { isSlipwayError } from '../schemas/errors.ts';
import type { Bucket, Key } from '../store/port.ts';

/**
 * Applies `change` until nobody else wrote in between, and gives the result; writes nothing when nothing changed.
 *
 * @param read the record of a stored value; null: there is none
 */
export async function changeRecord<T>(
  bucket: Pick<Bucket, 'get' | 'create' | 'update'>,
  key: Key,
  read: (value: unknown) => T,
  change: (before: T) => T | Promise<T>,
): Promise<T> {
  for (;;) {
    const entry = await bucket.get(key);
    const before = read(entry?.value ?? null);
    const after = await change(before);
    if (JSON.stringify(after) === JSON.stringify(before)) return before;
    try {
      if (entry === null) await bucket.create(key, after);
      else await bucket.update(key, after, entry.revision);
      return after;
    } catch (error) {
      if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
    }
  }
}
