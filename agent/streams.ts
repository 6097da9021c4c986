/**
 * Streams: logs and statistics of instances, sent piece by piece to the inbox that a reader names. A reader asks again
 * every 10 s for what it still wants; a stream whose reader fell silent ends.
 *
 * `agent.<machine>.logs` { namespace, service | slot, tail, follow, inbox } → { slots } ; pieces { lines } and { end }.
 * `agent.<machine>.stats` { namespace?, service? | slot?, inbox } → { slots } ; pieces { samples } and { end }: of all that
 * runs, or of what is named.
 * Either with { inbox, cancel: true } ends the stream of that inbox.
 */
import type { Logger } from '../schemas/logger.ts';
import type { Key, Messages } from '../store/port.ts';
import type { Engine, LogLine, StatsSample } from './docker/port.ts';
import { parseStreamRequest, type StreamRequest } from './stream-request.ts';
import type { Seen, World } from './world.ts';

const SILENCE_MS = 30_000;
const MAX_STREAMS = 32;
const FLUSH_EVERY_MS = 50;
/** A piece stays well below the 1 MiB that NATS takes. */
const MAX_PIECE_ITEMS = 200;
const MAX_PIECE_CHARS = 256 * 1024;
/** Lines that wait to be sent; beyond, the oldest are dropped and the reader is told how many. */
const MAX_WAITING = 5000;

export interface StreamsDeps {
  readonly machine: string;
  readonly messages: Pick<Messages, 'serve' | 'publish'>;
  readonly engine: Pick<Engine, 'logs' | 'stats'>;
  readonly world: Pick<World, 'containers'>;
  readonly log: Logger;
}

/** Samples may be of several namespaces, so each names its own. */
type Sent = LogLine | (StatsSample & { readonly namespace: string });
/** A line or sample of one slot. */
type Item = { readonly slot: string } & Sent;
type Source = (
  container: Seen,
  request: StreamRequest,
  onItem: (item: Sent) => void,
  signal: AbortSignal,
) => Promise<void>;

/** Serves both kinds of streams until the signal aborts. */
export function serveStreams(deps: StreamsDeps, signal: AbortSignal): void {
  const { machine, messages, engine } = deps;
  const kinds: Record<string, Pick<Kind, 'field' | 'wide' | 'source'>> = {
    logs: {
      field: 'lines',
      wide: false,
      source: (it, { tail, follow }, onItem, ended) => engine.logs(it.id, { tail, follow }, onItem, ended),
    },
    stats: {
      field: 'samples',
      wide: true,
      source: (it, _request, onItem, ended) =>
        engine.stats(it.id, (sample) => onItem({ namespace: it.identity.namespace, ...sample }), ended),
    },
  };
  for (const [kind, parts] of Object.entries(kinds)) {
    const open = new Map<string, { stop: AbortController; renew: () => void; slots: string[] }>();
    messages.serve(
      ['agent', machine, kind],
      (payload) => Promise.resolve(answer(deps, payload, { ...parts, open, signal })),
      signal,
    );
  }
}

interface Kind {
  readonly field: string;
  /** All that runs may be asked for; a container that does not run has nothing to tell. */
  readonly wide: boolean;
  readonly source: Source;
  readonly open: Map<string, { stop: AbortController; renew: () => void; slots: string[] }>;
  readonly signal: AbortSignal;
}

function answer(deps: StreamsDeps, payload: unknown, kind: Kind): object {
  const request = parseStreamRequest(payload, kind.wide);
  if (typeof request === 'string') return { error: { code: 'USAGE', message: request } };
  const key = JSON.stringify(request.inbox);
  const running = kind.open.get(key);
  if (request.cancel) {
    running?.stop.abort();
    kind.open.delete(key);
    return { slots: [] };
  }
  if (running !== undefined) {
    running.renew();
    return { slots: running.slots };
  }
  if (kind.open.size >= MAX_STREAMS) return { error: { code: 'USAGE', message: 'too many streams are open' } };
  const containers = (deps.world.containers() ?? []).filter(({ identity: it, state }) => {
    if (kind.wide && state !== 'running') return false;
    if (request.namespace !== null && it.namespace !== request.namespace) return false;
    if (request.slot !== null) return it.slot === request.slot;
    return request.service === null || it.service === request.service;
  });
  const slots = [...new Set(containers.map((it) => it.identity.slot))].toSorted();
  if (slots.length === 0) return { slots };
  const stop = new AbortController();
  let silence: NodeJS.Timeout | undefined;
  const renew = () => {
    clearTimeout(silence);
    silence = setTimeout(() => stop.abort(), SILENCE_MS);
  };
  renew();
  kind.open.set(key, { stop, renew, slots });
  const ended = AbortSignal.any([kind.signal, stop.signal]);
  void send(deps, containers, request, kind, ended).finally(() => {
    // Remembered until its reader falls silent: one that asks again for what has ended must not get it twice.
    clearTimeout(silence);
    setTimeout(() => kind.open.delete(key), SILENCE_MS).unref();
  });
  return { slots };
}

async function send(
  { messages, log }: StreamsDeps,
  containers: readonly Seen[],
  request: StreamRequest,
  { field, source }: Kind,
  signal: AbortSignal,
): Promise<void> {
  const inbox: Key = request.inbox;
  const waiting: Item[] = [];
  let dropped = 0;
  const flush = () => {
    while (waiting.length > 0) {
      messages.publish(inbox, { [field]: takePiece(waiting), ...(dropped > 0 ? { dropped } : {}) });
      dropped = 0;
    }
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);
  try {
    await Promise.all(
      containers.map(async (container) => {
        const take = (item: Sent) => {
          waiting.push({ slot: container.identity.slot, ...item });
          if (waiting.length > MAX_WAITING) dropped += waiting.splice(0, waiting.length - MAX_WAITING).length;
        };
        await source(container, request, take, signal).catch((error: unknown) => {
          if (!signal.aborted) log.debug({ err: error, slot: container.identity.slot }, 'a stream ended early');
        });
      }),
    );
  } finally {
    clearInterval(timer);
    flush();
    messages.publish(inbox, { end: true });
  }
}

function takePiece(waiting: Item[]): Item[] {
  let count = 0;
  for (let chars = 0; count < waiting.length && count < MAX_PIECE_ITEMS; count += 1) {
    const item = waiting[count];
    chars += item !== undefined && 'line' in item ? item.line.length : 100;
    if (chars > MAX_PIECE_CHARS && count > 0) break;
  }
  return waiting.splice(0, count);
}
