/** Deliveries of GitHub as requests, without a socket; and genuine payloads of all of its events. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

const require = createRequire(import.meta.url);

export const HOOK_SECRET = 'hook-secret';

/** `X-Hub-Signature-256` of a body. */
function signatureOf(body: string | Uint8Array, secret = HOOK_SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Headers of a delivery, signed. */
export function hookHeaders(args: { event: string; id?: string; body: string; secret?: string }) {
  return {
    'content-type': 'application/json',
    'x-github-event': args.event,
    ...(args.id === undefined ? {} : { 'x-github-delivery': args.id }),
    'x-hub-signature-256': signatureOf(args.body, args.secret),
  };
}

/** A request as a handler sees it. */
export function hookRequest(body: string, headers: Readonly<Record<string, string>>): IncomingMessage {
  return Object.assign(Readable.from([Buffer.from(body)]), { headers }) as unknown as IncomingMessage;
}

export interface GenuineHook {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Every payload of @octokit/webhooks-examples. */
export function genuineHooks(): GenuineHook[] {
  const path = require.resolve('@octokit/webhooks-examples');
  const events = JSON.parse(readFileSync(path, 'utf8')) as { name: string; examples: GenuineHook['payload'][] }[];
  return events.flatMap(({ name, examples }) => examples.map((payload) => ({ event: name, payload })));
}

/** The payload with null in the place of each of its objects and lists in turn, and of other values where asked to. */
export function* withNulls(payload: unknown, ofLeaves: boolean): Generator<unknown> {
  const inner = typeof payload === 'object' && payload !== null;
  if (inner || ofLeaves) yield null;
  if (!inner) return;
  for (const [key, value] of Object.entries(payload)) {
    for (const nulled of withNulls(value, ofLeaves)) {
      yield Array.isArray(payload) ? payload.with(Number(key), nulled) : { ...payload, [key]: nulled };
    }
  }
}
