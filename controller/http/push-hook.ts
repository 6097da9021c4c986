/**
 * `POST /hooks/push`: a hint that the repository changed. Nothing of its content is used; a valid signature only makes
 * the source look sooner, and what it finds it reads from git.
 */
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../schemas/logger.ts';
import { type Answer, says } from './answer.ts';
import { readBody } from './body.ts';
import { createDeliveries } from './deliveries.ts';
import { isSignedBy, looksSigned } from './signature.ts';

const REMEMBERED_DELIVERIES = 1_000;
const MAX_ID_LENGTH = 100;
const TYPES = new Set(['application/json', 'application/x-www-form-urlencoded']);

export interface PushHookArgs {
  /** None: hooks are refused. Several while one is being replaced. */
  readonly secrets: readonly string[];
  readonly wake: () => void;
  readonly log: Logger;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

const REFUSED_BODIES = {
  'too-large': says(413, 'TOO_LARGE', 'The body is larger than the limit.', { close: true }),
  'too-slow': says(408, 'TOO_SLOW', 'The body did not arrive in time.', { close: true }),
  cut: says(400, 'CUT', 'The body ended early.', { close: true }),
} as const;

/** The handler of the route. */
export function createPushHook(args: PushHookArgs): (request: IncomingMessage) => Promise<Answer> {
  const deliveries = createDeliveries(REMEMBERED_DELIVERIES);

  function refuse(answer: Answer, reason: string): Answer {
    args.log.warn({ reason, status: answer.status }, 'a push hook was refused');
    return answer;
  }

  return async (request) => {
    if (args.secrets.length === 0) {
      return refuse(says(403, 'HOOKS_OFF', 'No hook secret is configured.', { close: true }), 'HOOKS_OFF');
    }
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!TYPES.has(type))
      return refuse(says(415, 'WRONG_TYPE', 'Send application/json.', { close: true }), 'WRONG_TYPE');
    const signature = header(request, 'x-hub-signature-256');
    if (!looksSigned(signature)) {
      return refuse(says(401, 'UNSIGNED', 'X-Hub-Signature-256 is missing or malformed.', { close: true }), 'UNSIGNED');
    }
    const body = await readBody(request, args.maxBodyBytes, args.bodyTimeoutMs);
    if ('refused' in body) return refuse(REFUSED_BODIES[body.refused], body.refused);
    if (!isSignedBy(args.secrets, body.bytes, signature)) {
      return refuse(says(401, 'BAD_SIGNATURE', 'The signature is not by a secret of this server.'), 'BAD_SIGNATURE');
    }
    const id = header(request, 'x-github-delivery');
    if (id !== undefined && !deliveries.isNew(id.slice(0, MAX_ID_LENGTH))) {
      return says(202, 'SEEN_BEFORE', 'This delivery came before; nothing is done.');
    }
    args.wake();
    return says(202, 'ACCEPTED', 'The repository is looked at soon.');
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
