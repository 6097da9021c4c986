/** Specs: immutable values under the digest of their canonical JSON, each stored once. */
import { canonicalJson, digestOf } from '../schemas/canonical.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import { packText, unpackText } from './body.ts';
import { encodeKey } from './encode.ts';
import type { Patience } from './patience.ts';
import type { Specs } from './port.ts';
import type { Table } from './table.ts';

/** The specs over a table. */
export function createSpecs({ table, patiently }: { readonly table: Table; readonly patiently: Patience }): Specs {
  async function putOne(value: unknown): Promise<string> {
    const digest = digestOf(value);
    const body = await packText(canonicalJson(value), 'always');
    await patiently(async () => {
      try {
        await table.write({ key: encodeKey([digest]), body, expected: 0 });
      } catch (error) {
        // Somebody stored it before: the same digest is the same value.
        if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
      }
    });
    return digest;
  }

  return {
    put: async (values) => await Promise.all(values.map(putOne)),
    async get(digest) {
      const message = await patiently(() => table.last(encodeKey([digest])));
      if (message === null) throw new Error(`no spec has the digest ${digest}`);
      const value: unknown = JSON.parse(await unpackText(message.body));
      if (digestOf(value) !== digest) throw new Error(`the spec stored as ${digest} is another one`);
      return value;
    },
  };
}
