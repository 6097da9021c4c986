/** Commands in comments that were taken: each comment once, ever, whoever is told of it how often. */
import { z } from 'zod';
import { CommandResult, PullNumber } from './forge.ts';

/** Written before anything is done. `running` of a controller that is gone: nobody knows how far it came. */
export const TakenCommand = z.strictObject({
  comment: z.int(),
  pull: PullNumber,
  /** The controller's term that took it. */
  owner: z.string(),
  state: z.enum(['running', 'done', 'failed', 'interrupted']),
  result: CommandResult.nullable(),
  command: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
});
export type TakenCommand = z.infer<typeof TakenCommand>;
