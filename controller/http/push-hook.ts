/**
 * `POST /hooks/push`: a hint that the repository changed. Nothing of its content is used; a valid signature only makes
 * the source look sooner, and what it finds it reads from git.
 */
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../schemas/logger.ts';
import { type Answer, says } from './answer.ts';
import { createDeliveries } from './deliveries.ts';
import { header, readSigned, type SignedBodyArgs } from './signed-body.ts';

const REMEMBERED_DELIVERIES = 1_000;
const MAX_ID_LENGTH = 100;

export interface PushHookArgs extends SignedBodyArgs {
  readonly wake: () => void;
  readonly log: Logger;
}

/** The handler of the route. */
export function createPushHook(args: PushHookArgs): (request: IncomingMessage) => Promise<Answer> {
  const deliveries = createDeliveries(REMEMBERED_DELIVERIES);

  return async (request) => {
    const body = await readSigned(request, args);
    if ('refusal' in body) {
      args.log.warn({ reason: body.reason, status: body.refusal.status }, 'a push hook was refused');
      return body.refusal;
    }
    const id = header(request, 'x-github-delivery');
    if (id !== undefined && !deliveries.isNew(id.slice(0, MAX_ID_LENGTH))) {
      return says(202, 'SEEN_BEFORE', 'This delivery came before; nothing is done.');
    }
    args.wake();
    return says(202, 'ACCEPTED', 'The repository is looked at soon.');
  };
}
