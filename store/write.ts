/** Writes whose outcome is always known: a write whose reply was lost is recognised by its id when it is tried again. */
import { randomUUID } from 'node:crypto';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Patience } from './patience.ts';
import type { Table, Write } from './table.ts';

export interface Writer {
  put(key: string, body: Uint8Array): Promise<number>;
  /** Also over a deletion. @throws STATE_CONFLICT when the key has a value. */
  create(key: string, body: Uint8Array): Promise<number>;
  /** @throws STATE_CONFLICT when `revision` is not the last of the key. */
  update(key: string, body: Uint8Array, revision: number): Promise<number>;
  /** @throws STATE_CONFLICT when a revision is given and is not the last of the key. */
  remove(key: string, revision?: number): Promise<void>;
}

const EMPTY = new Uint8Array();
/** A deletion may expire between two looks at it, in a bucket whose entries do. */
const CREATE_ROUNDS = 10;

/** Each call is tried again while the store does not answer, and took effect at most once as far as others can see. */
export function createWriter({ table, patiently }: { readonly table: Table; readonly patiently: Patience }): Writer {
  async function settle(write: Omit<Write, 'writeId'>): Promise<number> {
    const writeId = randomUUID();
    return await patiently(async (attempt) => {
      const ours = async () => {
        const last = attempt === 1 ? null : await table.last(write.key);
        return last?.writeId === writeId ? last.sequence : null;
      };
      // Without an expected sequence a second try would overwrite what somebody else wrote after the first one.
      const landed = write.expected === undefined ? await ours() : null;
      if (landed !== null) return landed;
      try {
        return await table.write({ ...write, writeId });
      } catch (error) {
        const sequence = isSlipwayError(error, 'STATE_CONFLICT') ? await ours() : null;
        if (sequence === null) throw error;
        return sequence;
      }
    });
  }

  async function create(key: string, body: Uint8Array): Promise<number> {
    let expected = 0;
    for (let round = 1; ; round++) {
      try {
        return await settle({ key, body, expected });
      } catch (error) {
        if (!isSlipwayError(error, 'STATE_CONFLICT') || round === CREATE_ROUNDS) throw error;
      }
      const last = await patiently(() => table.last(key));
      if (last !== null && !last.deleted) throw new SlipwayError('STATE_CONFLICT', `${key} exists already`);
      expected = last?.sequence ?? 0;
    }
  }

  return {
    create,
    put: (key, body) => settle({ key, body }),
    update: (key, body, revision) => settle({ key, body, expected: revision }),
    async remove(key, revision) {
      const expected = revision === undefined ? {} : { expected: revision };
      await settle({ key, body: EMPTY, deleted: true, ...expected });
    },
  };
}
