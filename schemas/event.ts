/** Events: the audit trail, what `slipway events` shows. */
import { z } from 'zod';

export const SlipwayEvent = z.strictObject({
  at: z.iso.datetime(),
  /** Dotted, stable: `deploy.started`, `deploy.phase`, `release.committed`, `drift.healed`, `source.invalid` … */
  kind: z.string(),
  namespace: z.string().nullable(),
  deploy: z.string().nullable(),
  machine: z.string().nullable(),
  actor: z.string(),
  /** One sentence; no secrets. */
  message: z.string(),
});
export type SlipwayEvent = z.infer<typeof SlipwayEvent>;
