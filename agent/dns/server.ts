/** Sockets of the resolver: UDP and TCP on one address and port, taken as soon as the address exists. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Logger } from '../../schemas/logger.ts';
import type { Resolve } from './resolver.ts';
import { framed, frames } from './tcp-frames.ts';

const CONNECTIONS_MAX = 256;
const IDLE_TIMEOUT_MS = 10_000;
const MESSAGE_BYTES_MAX = 4096;
const PENDING_MAX = 32;
const UNREAD_BYTES_MAX = 65_536;

export interface ServerDeps {
  readonly address: string;
  readonly port: number;
  readonly resolve: Resolve;
  readonly log: Logger;
}

/**
 * Listens on both.
 *
 * @returns the function that ends it
 * @throws the socket's error (EADDRNOTAVAIL: no such address here, EADDRINUSE: somebody else listens)
 */
export async function listen(deps: ServerDeps): Promise<() => Promise<void>> {
  const udp = await listenUdp(deps);
  try {
    const closeTcp = await listenTcp(deps);
    return async () => {
      udp.close();
      await closeTcp();
    };
  } catch (error) {
    udp.close();
    throw error;
  }
}

async function listenUdp({ address, port, resolve, log }: ServerDeps): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    void resolve(message, from.address, 'udp').then((reply) => {
      // A reply that cannot be sent is lost, as any packet may be: the asker asks again.
      if (reply !== null) socket.send(reply, from.port, from.address, () => {});
    });
  });
  socket.bind({ address, port, exclusive: true });
  await once(socket, 'listening');
  socket.on('error', (error) => log.warn({ err: error }, 'udp socket'));
  return socket;
}

async function listenTcp({ address, port, resolve, log }: ServerDeps): Promise<() => Promise<void>> {
  const open = new Set<Socket>();
  // Half-open: who sends a query and then closes its side still gets the reply.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    converse(socket, resolve);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen({ host: address, port, exclusive: true });
  await once(server, 'listening');
  server.on('error', (error) => log.warn({ err: error }, 'tcp socket'));
  return async () => {
    server.close();
    for (const it of open) it.destroy();
    await once(server, 'close');
  };
}

/** Answers message after message until the asker has had enough, is idle, or takes more than its share. */
function converse(socket: Socket, resolve: Resolve): void {
  const address = socket.remoteAddress ?? '';
  let pending = 0;
  let ended = false;
  const onMessage = async (message: Buffer): Promise<void> => {
    pending += 1;
    if (pending > PENDING_MAX || socket.writableLength > UNREAD_BYTES_MAX) socket.destroy();
    if (socket.destroyed) return;
    const reply = await resolve(message, address, 'tcp');
    pending -= 1;
    if (reply !== null && socket.writable) socket.write(framed(reply));
    if (ended && pending === 0) socket.end();
  };
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('end', () => {
    ended = true;
    if (pending === 0) socket.end();
  });
  const onData = frames(
    MESSAGE_BYTES_MAX,
    (message) => void onMessage(message),
    () => socket.destroy(),
  );
  socket.on('data', onData);
}
