/**
 * A lock that the kernel gives back when its holder dies: an abstract unix socket (unix(7)), named after the folder.
 * nats-server has no lock of its own: a second one on the same files starts, and damages them.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

export interface Lock {
  readonly release: () => Promise<void>;
}

/** null: somebody else has it. */
export async function tryLock(dir: string): Promise<Lock | null> {
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(`\0slipway-nats-${name}`, () => resolve(true));
  });
  if (!taken) return null;
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}
