/** Hands queries to the machine's own resolvers and brings their replies back. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { framed, frames } from './tcp-frames.ts';
import { answers, type Query, RCODE, rcodeOf, withId } from './wire.ts';

export type Transport = 'udp' | 'tcp';

export interface ForwarderDeps {
  /** Addresses in order of preference. */
  readonly servers: () => Promise<readonly string[]>;
  readonly port?: number;
  /** After this long without an answer the next server is asked as well. */
  readonly patienceMs?: number;
  /** Docker's embedded resolver gives up after four seconds. */
  readonly deadlineMs?: number;
  /** Queries on their way at once; further ones fail. */
  readonly concurrency?: number;
}

/** Gives the first useful reply, under the id of the query; null when nobody gives one in time. */
export type Forward = (query: Query, transport: Transport) => Promise<Buffer | null>;

/** Asks one server after another; each query from a port and with an id of its own, so that replies are hard to forge. */
export function createForwarder(deps: ForwarderDeps): Forward {
  const { servers, port = 53, patienceMs = 1000, deadlineMs = 3000, concurrency = 1000 } = deps;
  let running = 0;

  async function ask(query: Query, transport: Transport, signal: AbortSignal): Promise<Buffer | null> {
    const asked: Promise<Buffer>[] = [];
    for (const address of await servers()) {
      asked.push(ASK[transport]({ address, port, query, signal }));
      const first = Promise.any(asked).catch(() => null);
      const answer = await Promise.race([first, delay(patienceMs, null, { signal }).catch(() => null)]);
      if (answer !== null) return answer;
    }
    return await Promise.any(asked).catch(() => null);
  }

  return async (query, transport) => {
    if (running >= concurrency) return null;
    running += 1;
    const done = new AbortController();
    const deadline = setTimeout(() => done.abort(), deadlineMs);
    try {
      return await ask(query, transport, done.signal);
    } finally {
      clearTimeout(deadline);
      done.abort();
      running -= 1;
    }
  };
}

interface Attempt {
  readonly address: string;
  readonly port: number;
  readonly query: Query;
  readonly signal: AbortSignal;
}

const ASK = { udp: askUdp, tcp: askTcp } satisfies Record<Transport, (attempt: Attempt) => Promise<Buffer>>;

async function askUdp({ address, port, query, signal }: Attempt): Promise<Buffer> {
  const id = randomInt(65_536);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
      socket.on('error', reject);
      socket.on('message', (message) => settle(message, query, id, resolve, reject));
      // A connected socket takes packets of this server only, and hears at once when nobody listens there.
      socket.connect(port, address, () => socket.send(withId(query.message, id)));
    });
  } finally {
    socket.close();
  }
}

async function askTcp({ address, port, query, signal }: Attempt): Promise<Buffer> {
  const id = randomInt(65_536);
  const socket = connect({ host: address, port, signal });
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
      socket.on('connect', () => socket.write(framed(withId(query.message, id))));
      socket.on(
        'data',
        frames(65_535, (message) => settle(message, query, id, resolve, reject), reject),
      );
    });
  } finally {
    socket.destroy();
  }
}

/** Anything that is not the reply is not looked at: the true one may still come. */
function settle(
  message: Buffer,
  query: Query,
  id: number,
  resolve: (reply: Buffer) => void,
  reject: (reason: Error) => void,
): void {
  if (!answers(message, query, id)) return;
  const rcode = rcodeOf(message);
  if (rcode === RCODE.SERVFAIL || rcode === RCODE.REFUSED) reject(new Error(`response code ${rcode}`));
  else resolve(withId(message, query.message.readUInt16BE(0)));
}
