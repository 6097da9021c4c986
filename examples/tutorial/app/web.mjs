/** The web server: `/` is the shop, `POST /orders` buys, `/orders/N` tells how far an order is, `/healthz` is for Slipway. */
import { createServer } from 'node:http';
import { openRedis } from './redis.mjs';
import { currency, database, instance, neededSchema, say, version } from './settings.mjs';
import { describeOrder, placeOrder, products, schemaOf } from './shop.mjs';

const PORT = 8080;
const LONGEST_BODY_BYTES = 10_000;

// Visitors wait a moment while the database starts again, instead of seeing an error.
const redis = openRedis({ ...database, patienceMs: 10_000, say });

/**
 * Whether this instance has ever found the database as it needs it. Asked only until then: an outage of the database
 * later is no reason to take all web servers away from the visitors.
 */
let ready = false;

/** @returns {Promise<Page>} */
async function health() {
  const trouble = redis.trouble();
  if (!ready && trouble !== null) return { status: 503, body: `database: ${trouble}` };
  ready ||= (await schemaOf(redis)) >= neededSchema;
  return ready ? { status: 200, body: 'ok' } : { status: 503, body: `the database needs schema ${neededSchema}` };
}

/** @typedef {{ status: number, body: string }} Page */

/** @type {readonly { method: string, path: RegExp, answer: (match: RegExpExecArray, form: URLSearchParams) => Promise<Page> }[]} */
const ROUTES = [
  { method: 'GET', path: /^\/healthz$/, answer: health },
  { method: 'GET', path: /^\/$/, answer: async () => ({ status: 200, body: await frontPage() }) },
  {
    method: 'POST',
    path: /^\/orders$/,
    answer: async (_, form) => {
      const number = await placeOrder(redis, form.get('item') ?? '');
      return number === null ? { status: 422, body: 'we do not sell that' } : await orderPage(number, 202);
    },
  },
  { method: 'GET', path: /^\/orders\/(\d{1,9})$/, answer: async ([, number]) => await orderPage(Number(number), 200) },
];

async function frontPage() {
  const rows = (await products(redis)).map(
    ({ name, stock, price }) => `${name}: ${stock} left${price === null ? '' : `, ${price} ${currency}`}`,
  );
  return [`shop ${version}, schema ${await schemaOf(redis)}`, ...rows].join('\n');
}

/** @param {number} number @param {number} status */
async function orderPage(number, status) {
  const text = await describeOrder(redis, number);
  return text === null ? { status: 404, body: 'there is no such order' } : { status, body: text };
}

/** @param {import('node:http').IncomingMessage} request @returns {Promise<Page>} */
async function answer(request) {
  const { pathname } = new URL(request.url ?? '/', 'http://shop');
  const route = ROUTES.find((it) => it.method === request.method && it.path.test(pathname));
  if (route === undefined) return { status: 404, body: 'there is nothing here' };
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += piece;
    if (text.length > LONGEST_BODY_BYTES) return { status: 413, body: 'too long' };
  }
  const match = /** @type {RegExpExecArray} */ (route.path.exec(pathname));
  return await route.answer(match, new URLSearchParams(text));
}

const server = createServer((request, response) => {
  void answer(request)
    .catch((error) => {
      say(`${request.method} ${request.url}: ${error.message}`);
      return { status: 503, body: 'the database does not answer' };
    })
    .then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-instance': instance });
      response.end(`${body}\n`);
    });
});

function stop() {
  server.close(() => redis.close());
  server.closeIdleConnections();
}
process.once('SIGTERM', stop).once('SIGINT', stop);
server.listen(PORT, () => say(`shop ${version}: web server ${instance} listens on port ${PORT}`));
