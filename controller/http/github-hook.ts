/**
 * `POST /hooks/github`: GitHub tells that something happened. What it hints at is stored before it is answered, within a
 * second; when that fails the sender is told, because GitHub repeats nothing by itself. Nothing else is used of it.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '../../schemas/delivery.ts';
import type { Logger } from '../../schemas/logger.ts';
import { hintsOf, IGNORED } from '../forge/hints.ts';
import { type Answer, says } from './answer.ts';
import { type ContentType, header, readSigned, type SignedBodyArgs } from './signed-body.ts';

/** What the lead of the house gives for hooks of a forge. */
export interface GithubHook {
  /** Id of the repository that is followed; null: not known yet, so that nothing is taken for another's. */
  readonly repositoryId: () => number | null;
  /** Resolves once it is stored, or known to be stored already. */
  readonly put: (delivery: {
    readonly id: string;
    readonly twin: string;
    readonly value: Delivery;
  }) => Promise<'stored' | 'seen'>;
  /** A genuine delivery of our repository came; `number`: the pull request that it is about. */
  readonly heard?: (number: number | null) => void;
  /** One could not be stored, and will not come again by itself. */
  readonly missed?: () => void;
}

export interface GithubHookArgs extends SignedBodyArgs {
  readonly github: GithubHook;
  /** For pushes, which need not wait for anybody who reads deliveries. */
  readonly wake: () => void;
  readonly now: () => number;
  readonly log: Logger;
  readonly storeTimeoutMs: number;
}

const ID = /^[\w.-]{1,100}$/;
const EVENT = /^[a-z0-9_]{1,100}$/;

/** The handler of the route. */
export function createGithubHook(args: GithubHookArgs): (request: IncomingMessage) => Promise<Answer> {
  const { github, log } = args;

  function refuse(answer: Answer, reason: string): Answer {
    log.warn({ reason, status: answer.status }, 'a hook of GitHub was refused');
    return answer;
  }

  async function store(delivery: { id: string; twin: string; value: Delivery }): Promise<Answer> {
    const inTime = new AbortController();
    const late = sleep(args.storeTimeoutMs, 'late' as const, { signal: inTime.signal }).catch(() => 'late' as const);
    try {
      const outcome = await Promise.race([github.put(delivery), late]);
      if (outcome === 'stored') return says(202, 'STORED', 'It is acted on soon.');
      if (outcome === 'seen') return says(202, 'SEEN_BEFORE', 'This was told before; nothing is done twice.');
      github.missed?.();
      return refuse(says(503, 'STORE_SLOW', 'It could not be stored in time; redeliver it later.'), 'STORE_SLOW');
    } catch (error) {
      github.missed?.();
      log.error({ error }, 'a hook of GitHub could not be stored');
      return refuse(says(503, 'NOT_STORED', 'It could not be stored; redeliver it later.'), 'NOT_STORED');
    } finally {
      inTime.abort();
    }
  }

  return async (request) => {
    const body = await readSigned(request, args);
    if ('refusal' in body) return refuse(body.refusal, body.reason);
    const event = header(request, 'x-github-event') ?? '';
    if (!EVENT.test(event)) return refuse(says(400, 'NO_EVENT', 'X-GitHub-Event is missing.'), 'NO_EVENT');
    const payload = parse(body.bytes, body.type);
    if (payload === undefined) return refuse(says(400, 'NOT_JSON', 'The payload is not JSON.'), 'NOT_JSON');
    const given = header(request, 'x-github-delivery') ?? '';
    const id = ID.test(given) ? given : createHash('sha256').update(event).update(body.bytes).digest('hex');

    const found = hintsOf({ event, delivery: id, payload });
    const ours = github.repositoryId();
    if (ours !== null && found.repositoryId !== null && found.repositoryId !== ours) {
      log.info({ event, repositoryId: found.repositoryId }, 'a hook told of another repository');
      return says(202, 'NOT_OURS', 'It is about another repository than the one that is followed here.');
    }
    if ('ignored' in found) {
      github.heard?.(found.number);
      return says(202, found.ignored, IGNORED[found.ignored]);
    }
    const { hint, action, repositoryId, revision, twin } = found;
    github.heard?.(hint.kind === 'pull' || hint.kind === 'comment' ? hint.number : null);
    if (hint.kind === 'push') args.wake();
    const at = new Date(args.now()).toISOString();
    const value: Delivery = { hint, event, action: action?.slice(0, 100) ?? null, repositoryId, revision, at };
    return await store({ id, twin, value });
  };
}

/** undefined: not JSON. */
function parse(bytes: Uint8Array, type: ContentType): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(type === 'application/json' ? text : (new URLSearchParams(text).get('payload') ?? ''));
  } catch {
    return undefined;
  }
}
