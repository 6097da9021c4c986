/** apply: log entry n is on the agent's disk, and gateway and names follow it. */
import type { Follower } from '../follow.ts';
import type { Handler } from './handler.ts';

export function applyStep({ follower }: { follower: Pick<Follower, 'follow'> }): Handler<'apply'> {
  return async ({ n }, { namespace, progress, signal }) => {
    progress(`following release ${n}`);
    await follower.follow(namespace, signal, n);
    return {};
  };
}
