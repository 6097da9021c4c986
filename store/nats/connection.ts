/**
 * One connection to NATS for the life of the process: it comes back for ever, says when it is gone and back, and ends
 * calls at once that wait for an answer of a connection that is gone (the client itself would let them time out).
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import pLimit from 'p-limit';
import semver from 'semver';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { createPatience } from '../patience.ts';
import { translate } from './failures.ts';
import { parseServers } from './servers.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
}

export interface Connection {
  readonly client: NatsConnection;
  connected(): boolean;
  onChange(listener: (connected: boolean) => void, signal: AbortSignal): void;
  /** Runs a request, translates its errors; at most 64 run at a time. @throws STATE_UNAVAILABLE when the connection is lost meanwhile. */
  call<T>(request: () => Promise<T>): Promise<T>;
  /** The same without the limit, for requests that other processes answer in their own time. */
  unbounded<T>(request: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The oldest server that this was tried on. */
export const OLDEST_SERVER = '2.9.10';

const CALLS_AT_A_TIME = 64;

/** @throws STATE_UNAVAILABLE when nobody answers in time, SETUP_FAILED for a server that is too old. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const client = await firstConnection(options);
  const { version } = client.info ?? { version: '0.0.0' };
  if (!semver.gte(version, OLDEST_SERVER)) {
    await client.close();
    throw new SlipwayError(
      'SETUP_FAILED',
      `nats-server ${version} is too old: Slipway needs ${OLDEST_SERVER} or later`,
    );
  }
  return superviseConnection(client, options.log);
}

async function firstConnection({ url, name, timeoutMs, signal, log }: ConnectionOptions): Promise<NatsConnection> {
  const { hosts, tls, credentials } = parseServers(url);
  const patiently = createPatience({ forMs: timeoutMs, closed: new AbortController().signal });
  return await patiently(
    async (attempt) => {
      try {
        return await connect({
          servers: [...hosts],
          name,
          ...credentials,
          ...(tls ? { tls: {} } : {}),
          timeout: 2_000,
          maxReconnectAttempts: -1,
          reconnectTimeWait: 100,
          reconnectJitter: 50,
          // A wrong token while a server is being set up again must not end the connection for ever.
          ignoreAuthErrorAbort: true,
          pingInterval: 5_000,
          maxPingOut: 2,
        });
      } catch (error) {
        if (attempt === 1) log.warn({ hosts }, 'NATS does not answer yet');
        const failure = translate(error);
        // A refused TCP connection arrives as an error of Node.
        throw new SlipwayError('STATE_UNAVAILABLE', `NATS at ${hosts.join(', ')} does not answer`, {}, failure);
      }
    },
    { signal },
  );
}

function superviseConnection(client: NatsConnection, log: Logger): Connection {
  const listeners = new Set<(connected: boolean) => void>();
  const waiting = new Set<(error: SlipwayError) => void>();
  const limit = pLimit(CALLS_AT_A_TIME);
  let connected = true;
  let closing = false;

  function set(next: boolean): void {
    if (!next) {
      for (const reject of waiting) reject(new SlipwayError('STATE_UNAVAILABLE', 'the connection to NATS was lost'));
    }
    if (next === connected) return;
    connected = next;
    if (!closing) log.info({ connected }, connected ? 'connected to NATS again' : 'the connection to NATS is lost');
    for (const listener of listeners) listener(connected);
  }

  async function observe(): Promise<void> {
    for await (const status of client.status()) {
      if (status.type === 'disconnect' || status.type === 'close') set(false);
      if (status.type === 'reconnect') set(true);
    }
    set(false);
  }

  async function unbounded<T>(request: () => Promise<T>): Promise<T> {
    // The client would take the request, lose it, and let it time out.
    if (!connected) throw new SlipwayError('STATE_UNAVAILABLE', 'not connected to NATS');
    let reject: ((error: SlipwayError) => void) | undefined;
    const gone = new Promise<never>((_, fail) => {
      reject = fail;
    });
    if (reject !== undefined) waiting.add(reject);
    try {
      return await Promise.race([request(), gone]);
    } catch (error) {
      throw translate(error);
    } finally {
      if (reject !== undefined) waiting.delete(reject);
    }
  }

  void observe().catch((error: unknown) => log.error({ error }, 'the connection to NATS is no longer observed'));
  return {
    client,
    connected: () => connected,
    onChange(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener('abort', () => listeners.delete(listener), { once: true });
    },
    call: (request) => limit(() => unbounded(request)),
    unbounded,
    async close() {
      closing = true;
      await client.close();
    },
  };
}
