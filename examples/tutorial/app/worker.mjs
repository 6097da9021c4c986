/** The worker: takes orders from the queue one by one and packs them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openRedis } from './redis.mjs';
import { database, instance, say, version } from './settings.mjs';
import { PACKING, packOrder, QUEUE } from './shop.mjs';

/** So long one question to the queue lasts, and so long a stop may have to wait for it. */
const TAKE_SECONDS = 1;
const PAUSE_MS = 1_000;

let stopping = false;
process.once('SIGTERM', () => (stopping = true)).once('SIGINT', () => (stopping = true));

const redis = openRedis({ ...database, patienceMs: 10_000, say });
say(`shop ${version}: worker ${instance} takes orders`);
let left = true;
while (!stopping) {
  try {
    // What a worker had taken when it died is still in its hands: everybody begins with those.
    const taken = left ? /** @type {string[]} */ (await redis.send('LRANGE', PACKING, 0, -1)) : [];
    for (const number of taken) await pack(Number(number));
    left = false;
    const number = await redis.send('BLMOVE', QUEUE, PACKING, 'RIGHT', 'LEFT', TAKE_SECONDS);
    if (number !== null) await pack(Number(number));
  } catch (error) {
    say(`trying again: ${error instanceof Error ? error.message : String(error)}`);
    left = true;
    await sleep(PAUSE_MS);
  }
}
redis.close();
say('worker stopped');

/** @param {number} number */
async function pack(number) {
  if (await packOrder(redis, number)) say(`order ${number}: packed`);
}
