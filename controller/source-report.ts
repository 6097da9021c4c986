/** What the controller last said of the tracked branch, kept so that `slipway status` can say it too. */
import { z } from 'zod';
import type { Bucket } from '../store/port.ts';

export const SourceReport = z.strictObject({
  at: z.iso.datetime(),
  /** `invalid`: some or all of the revision cannot be used. */
  kind: z.enum(['ok', 'invalid', 'unavailable', 'rewound']),
  /** null: unavailable. */
  revision: z.string().nullable(),
  /** What is wrong, a line each. */
  messages: z.array(z.string()),
  /** Namespaces of which nothing is deployed and nothing removed until another revision. */
  invalid: z.array(z.string()),
});
export type SourceReport = z.infer<typeof SourceReport>;

const KEY = ['source'];

/** null: no controller has looked yet. */
export async function readSourceReport(cluster: Bucket): Promise<SourceReport | null> {
  const found = SourceReport.safeParse((await cluster.get(KEY))?.value);
  return found.success ? found.data : null;
}

export async function saveSourceReport(cluster: Bucket, report: SourceReport): Promise<void> {
  await cluster.put(KEY, report);
}
