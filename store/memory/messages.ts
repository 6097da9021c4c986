/** Requests and messages within one process, with the losses of core NATS: nobody listening means nobody hears. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { decodeKey, keyMatches } from '../encode.ts';
import { messageFilter, messageSubject } from '../message-subject.ts';
import type { Messages } from '../port.ts';

interface Listener {
  readonly filter: string;
  readonly hear: (payload: unknown, subject: string) => Promise<unknown> | null;
}

/** Payloads are passed as JSON text, so that nothing is shared that the wire would not carry. */
export function createMemoryMessages({ log }: { readonly log: Logger }): Messages {
  const listeners = new Set<Listener>();

  function listen(listener: Listener, signal: AbortSignal): void {
    if (signal.aborted) return;
    listeners.add(listener);
    signal.addEventListener('abort', () => listeners.delete(listener), { once: true });
  }

  function send(subject: string, payload: unknown): Promise<unknown>[] {
    const hearing = [...listeners].filter((it) => keyMatches(it.filter, subject));
    return hearing.map((it) => it.hear(copy(payload), subject)).filter((it) => it !== null);
  }

  return {
    async request(name, payload, timeoutMs) {
      const subject = messageSubject(name);
      const unreachable = (why: string) => new SlipwayError('MACHINE_UNREACHABLE', `${name.join('.')} ${why}`);
      // As on the wire, the handler never runs within the caller's own turn.
      await Promise.resolve();
      const replies = send(subject, payload);
      if (replies.length === 0) throw unreachable('has nobody who answers');
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(unreachable(`did not answer within ${timeoutMs} ms`)), timeoutMs);
        for (const reply of replies) {
          reply.then(
            (value) => {
              clearTimeout(timer);
              resolve(copy(value));
            },
            (error: unknown) => log.warn({ error, subject }, 'a request was not answered: its handler threw'),
          );
        }
      });
    },
    serve(name, handler, signal) {
      listen({ filter: messageFilter(name), hear: async (payload) => await handler(payload) }, signal);
    },
    publish(name, payload) {
      const subject = messageSubject(name);
      queueMicrotask(() => {
        for (const reply of send(subject, payload)) reply.catch(() => {});
      });
    },
    subscribe(name, onMessage, signal) {
      const hear = (payload: unknown, subject: string) => {
        try {
          onMessage(payload, decodeKey(subject));
        } catch (error) {
          log.error({ error, subject }, 'a subscriber threw');
        }
        return null;
      };
      listen({ filter: messageFilter(name), hear }, signal);
    },
  };
}

function copy(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
