/** What a reader of logs or statistics asks for. Pure. */

const MAX_TAIL = 10_000;
const DEFAULT_TAIL = 100;

export interface StreamRequest {
  /** null: every namespace. */
  readonly namespace: string | null;
  readonly service: string | null;
  readonly slot: string | null;
  readonly tail: number;
  readonly follow: boolean;
  /** Begins with `inbox`, so that nobody can make an agent publish elsewhere. */
  readonly inbox: readonly string[];
  readonly cancel: boolean;
}

/**
 * The request, or what is wrong with it.
 *
 * @param wide a whole namespace, or all of them, may be asked for
 */
export function parseStreamRequest(payload: unknown, wide = false): StreamRequest | string {
  const it = (payload ?? {}) as Record<string, unknown>;
  const inbox = it['inbox'];
  if (
    !Array.isArray(inbox) ||
    inbox[0] !== 'inbox' ||
    inbox.length < 2 ||
    !inbox.every((one) => typeof one === 'string')
  )
    return 'wanted: an inbox that begins with "inbox"';
  const service = text(it['service']);
  const slot = text(it['slot']);
  const cancel = it['cancel'] === true;
  const namespace = text(it['namespace']);
  if (!cancel && !wide && (namespace === null || (service === null && slot === null)))
    return 'wanted: { namespace, service or slot, inbox }';
  const tail =
    typeof it['tail'] === 'number' && it['tail'] >= 0 ? Math.min(MAX_TAIL, Math.floor(it['tail'])) : DEFAULT_TAIL;
  return {
    namespace,
    service,
    slot,
    tail,
    follow: it['follow'] === true,
    inbox: inbox as string[],
    cancel,
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
