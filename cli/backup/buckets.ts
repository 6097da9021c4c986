/** Which buckets a backup holds, when each is read, and what their records are. Data only. */
import { z } from 'zod';
import { Freeze } from '../../schemas/consent.ts';
import { Deploy, Intent, NamespaceRecord } from '../../schemas/deploy.ts';
import { PullRecord } from '../../schemas/forge.ts';
import { Machine } from '../../schemas/observed.ts';
import { SecretRecord } from '../../schemas/secret.ts';
import type { BucketName } from '../../store/port.ts';

interface BackedUp {
  /**
   * `before-log`: its records speak of log entries, and are never to speak of one that the backup does not hold.
   * `after-log`: log entries speak of its records, and are never to speak of one that the backup does not hold.
   */
  readonly read: 'before-log' | 'after-log';
  readonly record: z.ZodType;
}

const anything = z.unknown();

/** null: not in a backup, because agents tell it again, or because it is good once and may have been used since. A new bucket does not compile until it has a row. */
const BACKED_UP = {
  cluster: { read: 'before-log', record: anything },
  deploys: { read: 'before-log', record: Deploy },
  namespaces: { read: 'before-log', record: NamespaceRecord },
  intents: { read: 'before-log', record: Intent },
  cursors: { read: 'before-log', record: anything },
  heads: { read: 'before-log', record: anything },
  freezes: { read: 'before-log', record: Freeze },
  pulls: { read: 'before-log', record: PullRecord },
  previews: { read: 'before-log', record: anything },
  commands: { read: 'before-log', record: anything },
  consents: null,
  machines: { read: 'after-log', record: Machine },
  secrets: { read: 'after-log', record: SecretRecord },
  observed: null,
} as const satisfies Record<BucketName, BackedUp | null>;

/** The buckets that are read at that moment. */
export function bucketsRead(when: BackedUp['read']): BucketName[] {
  return (Object.keys(BACKED_UP) as BucketName[]).filter((it) => BACKED_UP[it]?.read === when);
}

/** The row of a bucket by a name that came from a file; null: not one that backups hold. */
export function backedUp(name: string): (BackedUp & { readonly bucket: BucketName }) | null {
  if (!Object.hasOwn(BACKED_UP, name)) return null;
  const bucket = name as BucketName;
  const row = BACKED_UP[bucket];
  return row === null ? null : { ...row, bucket };
}
