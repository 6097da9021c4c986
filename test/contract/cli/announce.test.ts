/** When `slipway up` may say that something answers. */
import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { answers } from '../../../cli/up/announce.ts';

let server: Server | null = null;
afterEach(() => {
  server?.close();
  server = null;
});

async function answering(status: number, body: string): Promise<boolean> {
  const made = createServer((_, response) => response.writeHead(status).end(body));
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const address = made.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return await answers(address.port, 'localhost', '/');
}

it.each([
  ['a page', 200, 'hello', true],
  ['a page that the service itself does not have', 404, 'not found', true],
  ['the gateway without a route', 404, '404 slipway gateway: no route for this host and path\n', false],
  ['the gateway without an instance', 503, '503 slipway gateway: no instance of this service is ready\n', false],
  ['a service that fails', 500, 'oops', false],
])('%s: %d', async (_, status, body, expected) => {
  expect(await answering(status, body)).toBe(expected);
});
