/** Asked just before a step changes something: whether its deploy may still do that. */
import type { Allowed } from '../instances.ts';
import type { Journal } from '../journal.ts';
import { DeployClosed } from './running.ts';

/** Throws once the deploy is closed or the step was told to stop. */
export function refuseClosed(
  journal: Pick<Journal, 'view'>,
  namespace: string,
  deploy: string,
  signal: AbortSignal,
): Allowed {
  return () => {
    signal.throwIfAborted();
    if (journal.view(namespace).closed.includes(deploy)) throw new DeployClosed();
  };
}
