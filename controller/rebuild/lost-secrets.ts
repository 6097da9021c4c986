/** Secrets after a rebuild: their values are lost, but no number of a version is ever given twice. Pure. */
import type { NamespaceName } from '../../schemas/names.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { SecretName, SecretRecord } from '../../schemas/secret.ts';
import type { ServiceSpec } from '../../schemas/service.ts';

export interface LostSecret {
  readonly namespace: NamespaceName;
  readonly name: SecretName;
  /** The highest that any release names. */
  readonly version: number;
}

/** Every secret that a release ever named, in order. @param specs of all releases, by digest */
export function lostSecrets(log: readonly LogEntry[], specs: ReadonlyMap<string, ServiceSpec>): LostSecret[] {
  const found = new Map<string, LostSecret>();
  for (const entry of log) {
    if (entry.kind !== 'release') continue;
    for (const digest of [...Object.values(entry.services), ...entry.slots.map((it) => it.spec)])
      for (const [name, version] of Object.entries(specs.get(digest)?.template.secrets ?? {})) {
        const key = `${entry.namespace}/${name}`;
        if (version > (found.get(key)?.version ?? 0)) found.set(key, { namespace: entry.namespace, name, version });
      }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it);
}

/** Versions that were set and never deployed may be lost too: the next number keeps clear of them. */
const CLEAR_OF_UNKNOWN = 1_000;

/** A record without a value: the next one that is set gets a number above it. */
export function lostRecord({ namespace, name, version }: LostSecret, at: string, by: string): SecretRecord {
  return { namespace, name, version: version + CLEAR_OF_UNKNOWN, at, by, sizeBytes: 0, isText: true, sealed: null };
}
