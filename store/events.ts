/** Events: the audit trail, kept for a bounded time in the order in which it was written. */
import { SlipwayEvent } from '../schemas/event.ts';
import type { Logger } from '../schemas/logger.ts';
import { packText, unpackText } from './body.ts';
import { follow } from './follow.ts';
import type { Patience } from './patience.ts';
import type { Events } from './port.ts';
import type { Message, Table } from './table.ts';
import { createWriter } from './write.ts';

export interface EventsDeps {
  readonly table: Table;
  readonly patiently: Patience;
  readonly watchCheckMs: number;
  readonly log: Logger;
}

const KEY = 'all';

/** The events over a table. */
export function createEvents({ table, patiently, watchCheckMs, log }: EventsDeps): Events {
  const writer = createWriter({ table, patiently });
  const parse = async (message: Message) => SlipwayEvent.parse(JSON.parse(await unpackText(message.body)));

  return {
    async publish(event) {
      await writer.put(KEY, await packText(JSON.stringify(event), 'large'));
    },

    async list(limit) {
      const { first, last } = await patiently(() => table.state());
      const from = Math.max(first, last - limit + 1, 1);
      const sequences = Array.from({ length: Math.max(0, last - from + 1) }, (_, i) => from + i);
      const messages = await Promise.all(sequences.map((it) => patiently(() => table.at(it))));
      return await Promise.all(messages.filter((it) => it !== null).map(parse));
    },

    async follow(onEvent, signal) {
      let queue: Promise<void> = Promise.resolve();
      const deliver = async (message: Message) => {
        const event = await parse(message);
        if (!signal.aborted) onEvent(event);
      };
      await follow(
        { table, patiently, checkMs: watchCheckMs, log },
        {
          // Only what comes from now on.
          present: async () => {},
          changed(message) {
            queue = queue
              .then(() => deliver(message))
              .catch((error: unknown) => log.error({ error }, 'a follower of events threw'));
          },
        },
        signal,
      );
    },
  };
}
