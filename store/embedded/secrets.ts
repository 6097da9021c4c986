/** What the embedded server keeps over its restarts: its token and its port. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { writeDurable } from '../durable-file.ts';

/** The token, made at the first call; only we can read its file. */
export async function loadToken(path: string): Promise<string> {
  const present = await readText(path);
  if (present !== null && present !== '') return present;
  const token = randomBytes(24).toString('hex');
  await writeDurable(path, token);
  return token;
}

/** The port of last time, or null. */
export async function loadPort(path: string): Promise<number | null> {
  const port = Number(await readText(path));
  return Number.isInteger(port) && port > 0 ? port : null;
}

/** A port of loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port');
  return address.port;
}

async function readText(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}
