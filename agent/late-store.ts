/**
 * The store of an agent that must not wait for it: until NATS answers, calls fail with STATE_UNAVAILABLE at once, and
 * whoever wants to serve, watch or subscribe is connected when it does.
 */
import { SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Bucket, BucketName, Deliveries, Events, Leases, Log, Messages, Specs, Store } from '../store/port.ts';
import { sleep } from './waiting.ts';

const RETRY_MS = 500;

export interface LateStoreDeps {
  /** One attempt. It is repeated until it succeeds or the signal aborts. */
  readonly connect: (signal: AbortSignal) => Promise<Store>;
  readonly log: Logger;
  readonly lifetime: AbortSignal;
}

/** A store that begins to connect now. */
export function createLateStore({ connect, log, lifetime }: LateStoreDeps): Store {
  let found: Store | null = null;
  const coming = attempts();

  async function attempts(): Promise<Store | null> {
    let told = '';
    while (!lifetime.aborted) {
      try {
        found = await connect(lifetime);
        return found;
      } catch (error) {
        const text = String(error);
        if (!lifetime.aborted && text !== told) log.warn({ err: error }, 'the state is not there yet; trying again');
        told = text;
        await sleep(RETRY_MS, lifetime);
      }
    }
    return null;
  }

  function now(): Store {
    if (found === null) throw new SlipwayError('STATE_UNAVAILABLE', 'NATS has not answered yet');
    return found;
  }

  /** Resolves with nothing when the agent ends first. */
  async function later<T>(work: (store: Store) => T): Promise<Awaited<T> | undefined> {
    const store = found ?? (await coming);
    return store === null ? undefined : await work(store);
  }

  const logPort: Log = {
    append: async (...args) => await now().log.append(...args),
    read: async (...args) => await now().log.read(...args),
    tip: async (...args) => await now().log.tip(...args),
    entries: async (...args) => await now().log.entries(...args),
    live: async (...args) => await now().log.live(...args),
    namespaces: async () => await now().log.namespaces(),
    watch: async (...args) => await later((store) => store.log.watch(...args)),
  };
  const specs: Specs = {
    put: async (values) => await now().specs.put(values),
    get: async (digest) => await now().specs.get(digest),
  };
  const leases: Leases = {
    acquire: async (...args) => await now().leases.acquire(...args),
    holder: async (...args) => await now().leases.holder(...args),
    revoke: async (...args) => await now().leases.revoke(...args),
  };
  const events: Events = {
    publish: async (event) => await now().events.publish(event),
    list: async (limit) => await now().events.list(limit),
    follow: async (...args) => await later((store) => store.events.follow(...args)),
  };
  const deliveries: Deliveries = {
    put: async (delivery) => await now().deliveries.put(delivery),
    consume: async (...args) => await later((store) => store.deliveries.consume(...args)),
  };
  const messages: Messages = {
    request: async (...args) => await now().messages.request(...args),
    serve: (...args) => void later((store) => store.messages.serve(...args)),
    publish: (...args) => found?.messages.publish(...args),
    subscribe: (...args) => void later((store) => store.messages.subscribe(...args)),
  };
  const bucket = (name: BucketName): Bucket => ({
    get: async (key) => await now().bucket(name).get(key),
    list: async (prefix) => await now().bucket(name).list(prefix),
    create: async (key, value) => await now().bucket(name).create(key, value),
    update: async (...args) =>
      await now()
        .bucket(name)
        .update(...args),
    put: async (key, value) => await now().bucket(name).put(key, value),
    delete: async (key) => await now().bucket(name).delete(key),
    watch: async (...args) => await later((store) => store.bucket(name).watch(...args)),
  });

  return {
    log: logPort,
    specs,
    leases,
    events,
    deliveries,
    messages,
    bucket,
    generation: async () => await now().generation(),
    onConnection(onChange, signal) {
      if (found === null) onChange(false);
      void later((store) => store.onConnection(onChange, signal));
    },
    close: async () => await found?.close(),
  };
}
