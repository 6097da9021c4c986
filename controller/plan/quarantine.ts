/**
 * Quarantine: what a rollback took away stays away until somebody says that it may come back. Pure; derived from the
 * log alone, so that no restart forgets it.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { Digest, ServiceName } from '../../schemas/names.ts';
import type { LogEntry, Release } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { Live } from './live.ts';

/** A service as of one spec digest, and the rollback that took it away. */
export interface Quarantined {
  readonly service: ServiceName;
  readonly spec: Digest;
  /** The release that had it last. */
  readonly release: number;
  readonly rollback: Pick<Release, 'n' | 'at' | 'actor'>;
}

/** With a digest of the spec that versions of secrets do not change: a new password makes nothing another version. */
export interface QuarantinedSpec extends Quarantined {
  readonly content: Digest;
}

/** sha256 of a spec but for the versions of its secrets. */
export function contentDigest({ template: { secrets: _versions, ...template }, ...spec }: ServiceSpec): Digest {
  return digestOf({ ...spec, template });
}

/**
 * What rollbacks took away and no later release that was not a rollback has again, in order of the rollbacks.
 *
 * @param entries all entries of a namespace, ascending
 */
export function quarantineOf(entries: readonly LogEntry[]): Quarantined[] {
  let found: Quarantined[] = [];
  let before: Release | null = null;
  for (const entry of entries) {
    if (entry.kind !== 'release') continue;
    const { services } = entry;
    if (entry.lineage.rollbackTo === null) found = found.filter((it) => services[it.service] !== it.spec);
    else {
      const gone = takenAway(before, entry);
      const again = (it: Quarantined) => gone.some((one) => one.service === it.service && one.spec === it.spec);
      found = [...found.filter((it) => !again(it)), ...gone];
    }
    before = entry;
  }
  return found;
}

function takenAway(before: Release | null, rollback: Release): Quarantined[] {
  const { n, at, actor } = rollback;
  return Object.entries(before?.services ?? {})
    .filter(([service, spec]) => rollback.services[service] !== spec)
    .map(([service, spec]) => ({ service, spec, release: before?.n ?? 0, rollback: { n, at, actor } }));
}

/** Why bringing quarantined specs back needs consent, a sentence each; what is live already does not come back. */
export function broughtBack(args: {
  readonly specs: readonly ServiceSpec[];
  readonly live: Pick<Live, 'services' | 'specOf'>;
  readonly quarantined: readonly QuarantinedSpec[];
}): string[] {
  return args.specs.flatMap((spec) => {
    const content = contentDigest(spec);
    const live = args.live.services.get(spec.name);
    if (live !== undefined && contentDigest(args.live.specOf(live)) === content) return [];
    const found = args.quarantined.find((it) => it.service === spec.name && it.content === content);
    if (found === undefined) return [];
    const { release, rollback } = found;
    return [
      `Service ${spec.name} would be as in release #${release} again, which ${rollback.actor} rolled back at ${rollback.at} (#${rollback.n}).`,
    ];
  });
}
