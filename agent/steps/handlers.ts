/** The table of step handlers: a new verb does not compile until it has a row. */
import { applyStep } from './apply.ts';
import { type CloseDeps, closeStep } from './close.ts';
import { type DestroyDeps, destroyStep } from './destroy.ts';
import type { Handlers } from './handler.ts';
import { type JobDeps, jobStep } from './job.ts';
import { type PullDeps, pullStep } from './pull.ts';
import { type RetireDeps, retireStep } from './retire.ts';
import { type StartDeps, startStep } from './start.ts';
import { type SwapDeps, swapStep } from './swap.ts';
import { volumeStep } from './volume.ts';

export type HandlerDeps = StartDeps &
  SwapDeps &
  RetireDeps &
  CloseDeps &
  DestroyDeps &
  JobDeps &
  PullDeps &
  Parameters<typeof volumeStep>[0];

/** One handler a verb. */
export function createHandlers(deps: HandlerDeps): Handlers {
  return {
    pull: pullStep(deps),
    volume: volumeStep(deps),
    job: jobStep(deps),
    start: startStep(deps),
    swap: swapStep(deps),
    apply: applyStep(deps),
    retire: retireStep(deps),
    close: closeStep(deps),
    destroy: destroyStep(deps),
  };
}
