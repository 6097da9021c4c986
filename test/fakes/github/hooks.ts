/** Deliveries of webhooks: signed over the bytes that are sent, recorded with the answer, lost or held back on demand. */
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Repo } from './state.ts';

/** One try to deliver; status null: there was no answer, `body` says why. */
export interface Attempt {
  readonly status: number | null;
  readonly body: string;
  readonly tookMs: number;
}

export interface Delivery {
  /** GUID; a redelivery keeps it. */
  readonly id: string;
  readonly event: string;
  readonly action: string | null;
  /** The bytes of the body, as text. */
  readonly raw: string;
  readonly attempts: Attempt[];
}

export interface HookArgs {
  readonly url: string;
  readonly secret: string;
  /** Whose repository it was set up for; null: an App's. */
  readonly repo: Repo | null;
  /** Repositories of which it hears. */
  readonly hears: (repo: Repo) => boolean;
  /** Only these events; all when not given. */
  readonly events?: readonly string[];
  /** An App's hook names the installation in every payload. */
  readonly installationId?: number;
}

export type Hook = ReturnType<typeof createHook>;

/** How long GitHub waits for an answer. */
const ANSWER_MS = 10_000;

/** A receiver of deliveries with its behaviour, which a test may change at any time. */
export function createHook(args: HookArgs, hookId: number) {
  const deliveries: Delivery[] = [];
  const held: Delivery[] = [];
  const running = new Set<Promise<void>>();

  const hook = {
    id: hookId,
    args,
    /** Signs what is sent from now on. */
    secret: args.secret,
    url: args.url,
    /** `lose`: recorded, never sent. `hold`: sent by `release()`. */
    mode: 'send' as 'send' | 'lose' | 'hold',
    /** How often each one is sent. */
    copies: 1,
    delayMs: 0,
    deliveries,

    /** Deliveries of this event, and action when given, oldest first. */
    of: (event: string, action?: string) =>
      deliveries.filter((it) => it.event === event && (action === undefined || it.action === action)),

    take(event: string, payload: Readonly<Record<string, unknown>>): void {
      const { installationId, events } = args;
      if (events !== undefined && event !== 'ping' && !events.includes(event)) return;
      const whole = installationId === undefined ? payload : { ...payload, installation: installation(installationId) };
      const action = typeof payload['action'] === 'string' ? payload['action'] : null;
      const delivery = { id: randomUUID(), event, action, raw: JSON.stringify(whole), attempts: [] };
      deliveries.push(delivery);
      if (hook.mode === 'hold') held.push(delivery);
      if (hook.mode === 'send') start(delivery);
    },

    /** Sends what was held back, in this order, and waits for the answers. */
    async release(order: 'same' | 'reversed' = 'same'): Promise<void> {
      const waiting = held.splice(0);
      for (const delivery of order === 'same' ? waiting : waiting.toReversed()) await deliver(delivery);
    },

    /** Sends one again under its old id, as the button in the settings does. */
    async redeliver(deliveryId: string): Promise<Attempt> {
      const delivery = deliveries.find((it) => it.id === deliveryId);
      if (delivery === undefined) throw new Error(`no delivery ${deliveryId}`);
      return await deliver(delivery);
    },

    /** Every delivery that was begun has its answer. */
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
  return hook;

  function start(delivery: Delivery): void {
    for (let copy = 0; copy < hook.copies; copy++) {
      const sending = pause(hook.delayMs).then(async () => void (await deliver(delivery)));
      running.add(sending);
      void sending.finally(() => running.delete(sending));
    }
  }

  async function deliver({ id, event, raw, attempts }: Delivery): Promise<Attempt> {
    const startedAt = performance.now();
    const signed = (algorithm: string) => createHmac(algorithm, hook.secret).update(raw).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/0000000',
      'x-github-delivery': id,
      'x-github-event': event,
      'x-github-hook-id': String(hookId),
      'x-github-hook-installation-target-type': args.installationId === undefined ? 'repository' : 'integration',
      'x-hub-signature': `sha1=${signed('sha1')}`,
      'x-hub-signature-256': `sha256=${signed('sha256')}`,
    };
    const answer = await post(hook.url, headers, raw);
    const attempt = { ...answer, tookMs: performance.now() - startedAt };
    attempts.push(attempt);
    return attempt;
  }
}

/** A connection each: a receiver that restarts in between is no error of ours. */
async function post(url: string, headers: Record<string, string>, body: string) {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const asked = request(url, { method: 'POST', headers, signal, agent: false });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? null, body: await text(answer) };
  } catch (error) {
    return { status: null, body: String(error) };
  }
}

function installation(id: number) {
  return { id, node_id: Buffer.from(`Installation:${id}`).toString('base64url') };
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
