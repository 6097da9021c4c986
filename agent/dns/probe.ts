/** Asks a resolver which snapshot it answers from: proof that it lives, and that it has read what was written. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { DIGEST_NAME } from './resolver.ts';
import { decodeText, encodeQuery } from './wire.ts';

/** Digest of its snapshot, empty when it has none; null when it does not answer in time. */
export async function servedDigest(address: string, port: number, timeoutMs: number): Promise<string | null> {
  const id = randomInt(65_536);
  const socket = createSocket('udp4');
  try {
    return await new Promise<string | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), timeoutMs);
      const done = (digest: string | null) => {
        clearTimeout(timer);
        resolve(digest);
      };
      socket.on('error', () => done(null));
      socket.on('message', (message) => done(decodeText(message, id)));
      socket.connect(port, address, () => socket.send(encodeQuery(id, DIGEST_NAME, 'TXT', 'CH')));
    });
  } finally {
    socket.close();
  }
}
