/** A TCP proxy that loses things: swallows what goes one way, cuts connections, refuses new ones. */
import { connect, createServer, type Server, type Socket } from 'node:net';

type Direction = 'to-server' | 'to-client';

export interface TcpProxy {
  readonly port: number;
  /** Everything that goes this way disappears from now on, in present and later connections. */
  swallow(direction: Direction): void;
  /** From the first bytes to the server on that hold the text, what the server says disappears. */
  swallowRepliesTo(text: string): void;
  /** Nothing is swallowed any more. */
  pass(): void;
  /** Resets every connection; new ones are accepted. */
  cut(): void;
  /** Bytes that were swallowed so far. */
  swallowed(): number;
  close(): Promise<void>;
}

/** Listens on a free port of loopback and passes everything on to `targetPort`. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const swallowing = new Set<Direction>();
  const sockets = new Set<Socket>();
  let swallowedBytes = 0;
  let trigger: string | null = null;

  function pump(from: Socket, to: Socket, direction: Direction): void {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (trigger !== null && direction === 'to-server' && chunk.includes(trigger)) swallowing.add('to-client');
      if (swallowing.has(direction)) swallowedBytes += chunk.length;
      else if (!to.destroyed) to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  }

  const server: Server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    pump(client, upstream, 'to-server');
    pump(upstream, client, 'to-client');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    swallow: (direction) => void swallowing.add(direction),
    swallowRepliesTo(text) {
      trigger = text;
    },
    pass() {
      trigger = null;
      swallowing.clear();
    },
    cut,
    swallowed: () => swallowedBytes,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
