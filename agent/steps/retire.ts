/** retire: what the live release does not name, and no other open deploy holds, is drained, stopped and removed. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Follower } from '../follow.ts';
import type { Journal } from '../journal.ts';
import type { Retirer } from '../retire.ts';
import type { Handler } from './handler.ts';

export interface RetireDeps {
  readonly journal: Pick<Journal, 'view'>;
  readonly follower: Pick<Follower, 'follow'>;
  readonly retirer: Retirer;
}

export function retireStep({ journal, follower, retirer }: RetireDeps): Handler<'retire'> {
  return async ({ n }, { namespace, deploy, progress, signal }) => {
    // The gateway has switched to it before anything goes.
    await follower.follow(namespace, signal, n);
    const { live } = journal.view(namespace);
    if (live !== null && live.n < n)
      throw new SlipwayError('STEP_FAILED', `entry ${n} of ${namespace} is not a release: ${live.n} is live`);
    const over = live === null || (live.deploy === deploy && live.final);
    progress('draining');
    const drained = await retirer.retire(namespace, over ? deploy : undefined);
    return { drained };
  };
}
