/**
 * The application of load tests, alone in its container: `/` says its version, `/echo` tells length and digest of a
 * body, `/slow?ms=N` answers after N ms, an upgrade gets a websocket that echoes. ON_TERM=exit drops everything at
 * SIGTERM, ON_TERM=ignore hears nothing, otherwise it finishes what it has begun.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const { VERSION = '0', PORT = '8080', ON_TERM = 'finish' } = process.env;

const server = createServer((request, response) => {
  void answer(request).then(
    (body) => response.setHeader('x-version', VERSION).end(body),
    () => response.destroy(),
  );
});

/** @param {import('node:http').IncomingMessage} request */
async function answer(request) {
  const url = new URL(request.url ?? '/', 'http://app');
  const digest = createHash('sha256');
  let sizeBytes = 0;
  for await (const part of request) {
    sizeBytes += part.length;
    digest.update(part);
  }
  if (url.pathname === '/slow') await sleep(Number(url.searchParams.get('ms')));
  if (url.pathname === '/echo') return `${VERSION} ${sizeBytes} ${digest.digest('hex')}\n`;
  return `${VERSION}\n`;
}

new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (/** @type {Buffer} */ data) => socket.send(`${VERSION} ${data.toString()}`));
  socket.on('error', () => {});
});

/** @type {Record<string, () => void>} */
const endings = {
  exit: () => process.exit(0),
  ignore: () => {},
  finish: () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  },
};
process.on('SIGTERM', endings[ON_TERM] ?? (() => process.exit(1)));
server.listen(Number(PORT), '0.0.0.0');
