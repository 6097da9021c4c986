/** The tills of the shop on the corner: a line a command over plain TCP. `STOCK`, `SELL book`, `ORDER 1`, `QUIT`. */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { openRedis } from './redis.mjs';
import { database, instance, say, version } from './settings.mjs';
import { describeOrder, placeOrder, products } from './shop.mjs';

const PORT = 4100;

const redis = openRedis({ ...database, patienceMs: 10_000, say });

/** @type {Readonly<Record<string, (argument: string) => Promise<string>>>} */
const COMMANDS = {
  STOCK: async () => (await products(redis)).map((it) => `${it.name} ${it.stock}`).join(', '),
  SELL: async (item) => {
    const number = await placeOrder(redis, item);
    return number === null ? 'ERROR we do not sell that' : `OK order ${number}`;
  },
  ORDER: async (number) => (await describeOrder(redis, Number(number))) ?? 'ERROR there is no such order',
};

/** @type {Set<import('node:net').Socket>} */
const tills = new Set();
const server = createServer({ allowHalfOpen: true }, (till) => {
  tills.add(till);
  till.on('error', () => till.destroy()).once('close', () => tills.delete(till));
  void serve(till).finally(() => till.end());
});

/** @param {import('node:net').Socket} till */
async function serve(till) {
  for await (const line of createInterface({ input: till })) {
    const [command = '', argument = ''] = line.trim().split(/\s+/);
    if (command === 'QUIT') return;
    const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    const said = await (run?.(argument) ?? Promise.resolve('ERROR say STOCK, SELL, ORDER or QUIT')).catch((error) => {
      say(`${command}: ${error.message}`);
      return 'ERROR the database does not answer';
    });
    till.write(`${said}\n`);
  }
}

function stop() {
  server.close(() => redis.close());
  for (const it of tills) it.end();
}
process.once('SIGTERM', stop).once('SIGINT', stop);
server.listen(PORT, () => say(`shop ${version}: tills ${instance} listen on port ${PORT}`));
