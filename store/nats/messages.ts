/** Requests and messages over core NATS. */
import type { Msg } from '@nats-io/transport-node';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { decodeKey } from '../encode.ts';
import { messageFilter, messageSubject } from '../message-subject.ts';
import type { Key, Messages } from '../port.ts';
import type { Connection } from './connection.ts';
import { isNobodyThere, isTimeout } from './failures.ts';

/** Payloads are JSON; an undefined one is null. */
export function createNatsMessages(deps: { readonly connection: Connection; readonly log: Logger }): Messages {
  const { connection, log } = deps;
  const { client } = connection;
  const text = (payload: unknown) => JSON.stringify(payload ?? null);

  function listen(filter: string, hear: (message: Msg) => Promise<void> | void, signal: AbortSignal): void {
    if (signal.aborted || client.isClosed()) return;
    const subscription = client.subscribe(filter, {
      callback: (error, message) => {
        if (error === null) void hear(message);
        else log.error({ error, subject: filter }, 'a subscription was refused');
      },
    });
    const end = () => {
      if (!client.isClosed()) subscription.unsubscribe();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  return {
    async request(name, payload, timeoutMs) {
      const subject = messageSubject(name);
      const options = { timeout: timeoutMs };
      try {
        const reply = await connection.unbounded(async () => await client.request(subject, text(payload), options));
        return reply.json();
      } catch (error) {
        throw unreachable(name, timeoutMs, error) ?? error;
      }
    },

    serve(name, handler, signal) {
      const hear = async (message: Msg) => {
        try {
          message.respond(text(await handler(message.json())));
        } catch (error) {
          log.warn({ error, subject: message.subject }, 'a request was not answered');
        }
      };
      listen(messageFilter(name), hear, signal);
    },

    publish(name, payload) {
      const subject = messageSubject(name);
      try {
        client.publish(subject, text(payload));
      } catch (error) {
        log.debug({ error, subject }, 'a message was not sent');
      }
    },

    subscribe(name, onMessage, signal) {
      const hear = (message: Msg) => {
        try {
          onMessage(message.json(), decodeKey(message.subject));
        } catch (error) {
          log.error({ error, subject: message.subject }, 'a subscriber threw');
        }
      };
      listen(messageFilter(name), hear, signal);
    },
  };
}

/** "Nobody there" and "no answer in time" are the machine's fault as long as NATS itself is there. */
function unreachable(name: Key, timeoutMs: number, error: unknown): SlipwayError | null {
  const cause = isSlipwayError(error, 'STATE_UNAVAILABLE') ? error.cause : null;
  const who = name.join('.');
  if (isTimeout(cause)) {
    return new SlipwayError('MACHINE_UNREACHABLE', `${who} did not answer within ${timeoutMs} ms`, {}, cause);
  }
  if (isNobodyThere(cause)) return new SlipwayError('MACHINE_UNREACHABLE', `${who} has nobody who answers`, {}, cause);
  return null;
}
