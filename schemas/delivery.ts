/** A delivery of a hook as it is stored: what it hints at, and nothing of what strangers wrote in it. */
import { z } from 'zod';
import { Hint } from './forge.ts';
import { Revision } from './names.ts';

export const Delivery = z.strictObject({
  hint: Hint,
  /** `pull_request`, `push` … and its action; `poll` for what polling found. */
  event: z.string().max(100),
  action: z.string().max(100).nullable(),
  /** null: it names none, as those of an App's installation do. */
  repositoryId: z.int().nullable(),
  /** Head of the pull request, or what was pushed. For people; nothing is read from it. */
  revision: Revision.nullable(),
  at: z.iso.datetime(),
});
export type Delivery = z.infer<typeof Delivery>;
