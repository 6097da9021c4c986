/** The shop itself, as the web server, the tills and the worker share it: products, orders, the queue between them. */

/** @typedef {import('./redis.mjs').Redis} Redis */

/** Numbers of the orders that wait, and of those that somebody packs. */
export const QUEUE = 'orders:waiting';
export const PACKING = 'orders:packing';

/**
 * Products by name.
 *
 * @param {Redis} redis
 * @returns {Promise<{ name: string, stock: number, price: number | null }[]>}
 */
export async function products(redis) {
  const names = /** @type {string[]} */ (await redis.send('SMEMBERS', 'products')).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const [stock, price] = /** @type {(string | null)[]} */ (
        await redis.send('HMGET', `product:${name}`, 'stock', 'price')
      );
      return { name, stock: Number(stock), price: price === null || price === undefined ? null : Number(price) };
    }),
  );
}

/** The order's number; null: there is no such product. @param {Redis} redis @param {string} item */
export async function placeOrder(redis, item) {
  if ((await redis.send('SISMEMBER', 'products', item)) !== 1) return null;
  const number = Number(await redis.send('INCR', 'orders'));
  await redis.send('HSET', `order:${number}`, 'item', item, 'state', 'waiting');
  await redis.send('LPUSH', QUEUE, number);
  return number;
}

/** An order in words; null: there is none of that number. @param {Redis} redis @param {number} number */
export async function describeOrder(redis, number) {
  const [item, state] = /** @type {(string | null)[]} */ (
    await redis.send('HMGET', `order:${number}`, 'item', 'state')
  );
  return item === null ? null : `order ${number}: ${item}, ${state}`;
}

/** The schema that the database has. @param {Redis} redis */
export async function schemaOf(redis) {
  return Number(await redis.send('GET', 'schema'));
}

/**
 * Packs the order once, however often it is called for it: the stock and the order change together or not at all.
 *
 * @param {Redis} redis a connection of its own: a transaction takes all commands that come
 * @param {number} number
 */
export async function packOrder(redis, number) {
  await redis.send('WATCH', `order:${number}`);
  const [item, state] = /** @type {(string | null)[]} */ (
    await redis.send('HMGET', `order:${number}`, 'item', 'state')
  );
  await redis.send('MULTI');
  if (state === 'waiting') {
    await redis.send('HINCRBY', `product:${item}`, 'stock', -1);
    await redis.send('HSET', `order:${number}`, 'state', 'packed');
  }
  await redis.send('LREM', PACKING, 0, number);
  return (await redis.send('EXEC')) !== null && state === 'waiting';
}
