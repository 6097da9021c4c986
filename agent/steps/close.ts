/** close: the deploy is over; what it voided is gone, what it held is free, and its late steps are refused. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Log } from '../../store/port.ts';
import type { Closer } from '../close.ts';
import { endsDeploy, type Follower } from '../follow.ts';
import type { Handler } from './handler.ts';

export interface CloseDeps {
  readonly log: Pick<Log, 'read'>;
  readonly follower: Pick<Follower, 'follow'>;
  readonly closer: Closer;
}

export function closeStep({ log, follower, closer }: CloseDeps): Handler<'close'> {
  return async ({ n }, { namespace, deploy, progress, signal }) => {
    const entry = await log.read(namespace, n);
    if (entry === null || entry.deploy !== deploy || !endsDeploy(entry))
      throw new SlipwayError('STEP_FAILED', `entry ${n} of ${namespace} does not end deploy ${deploy}`);
    await follower.follow(namespace, signal, n);
    progress('closing');
    await closer.close(namespace, deploy);
    return {};
  };
}
