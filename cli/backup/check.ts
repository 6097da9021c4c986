/** Whether a backup's contents fit together, before anything is written. Pure. */

import type { BackupContents } from '../../schemas/backup.ts';
import { digestOf } from '../../schemas/canonical.ts';
import type { LogEntry } from '../../schemas/release.ts';
import { ServiceSpec } from '../../schemas/service.ts';
import { verifyTrustList } from '../../trust/trust-list.ts';
import { backedUp } from './buckets.ts';
import type { Backup } from './pack.ts';

/** Every reason for which it must not be restored; empty: none. */
export function problemsOf({ manifest, contents }: Backup): string[] {
  const [installation, ...more] = contents.installation;
  if (installation === undefined || more.length > 0) return ['it does not hold exactly one installation'];
  if (installation.id !== manifest.installation) return ['its manifest names another installation'];
  return [...keyProblems(contents, installation.id), ...logProblems(contents), ...recordProblems(contents)];
}

function keyProblems({ keys }: BackupContents, installation: string): string[] {
  const text = (path: string) => {
    const file = keys.find((it) => it.path === path);
    return file === undefined ? null : Buffer.from(file.base64, 'base64').toString('utf8');
  };
  const missing = ['root.pem', 'root.pub', 'operator.pem', 'trust.json'].filter((it) => text(it) === null);
  if (missing.length > 0) return missing.map((it) => `the key file ${it} is missing`);
  try {
    verifyTrustList(JSON.parse(text('trust.json') ?? ''), (text('root.pub') ?? '').trim(), installation);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function logProblems({ log, specs }: BackupContents): string[] {
  const problems: string[] = [];
  const tips = new Map<string, number>();
  for (const { namespace, n } of log) {
    const wanted = (tips.get(namespace) ?? 0) + 1;
    if (n !== wanted) problems.push(`the log of ${namespace} has entry ${n} where ${wanted} belongs`);
    tips.set(namespace, n);
  }
  for (const { digest, value } of specs) {
    if (digestOf(value) !== digest) problems.push(`the spec ${digest} is another one than its digest says`);
    if (!ServiceSpec.safeParse(value).success) problems.push(`the spec ${digest} is not what this version knows`);
  }
  const known = new Set(specs.map((it) => it.digest));
  const missing = namedSpecs(log).filter((it) => !known.has(it));
  return [...problems, ...missing.map((it) => `the spec ${it} is named by the log, and missing`)];
}

function recordProblems({ records }: BackupContents): string[] {
  return records.flatMap(({ bucket, key, value }) => {
    const row = backedUp(bucket);
    const where = `${bucket}/${key.join('/')}`;
    if (row === null) return [`the record ${where} is of a bucket that this version does not know`];
    return row.record.safeParse(value).success ? [] : [`the record ${where} is not what this version knows`];
  });
}

/** Digests of the specs that entries name, each once. */
export function namedSpecs(log: readonly LogEntry[]): string[] {
  const digests = log.flatMap((it) =>
    it.kind === 'release' ? [...Object.values(it.services), ...it.slots.map((row) => row.spec)] : [],
  );
  return [...new Set(digests)];
}
