/**
 * Reads the state while everything runs. It is read twice in a row until both readings are the same: revisions only
 * grow, so nothing changed from the end of the first to the beginning of the second, and what was read is the state of
 * that moment. On an installation that never rests the last reading is taken. It is the state of no one moment, but of
 * a controller that was killed: buckets that speak of the log are read before it and those that it speaks of after, the
 * log only grows, and whatever an executor that died leaves behind is finished or voided by the next.
 */
import type { StoredRecord, StoredSpec } from '../../schemas/backup.ts';
import type { SlipwayEvent } from '../../schemas/event.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { BucketName, Store } from '../../store/port.ts';
import { bucketsRead } from './buckets.ts';
import { namedSpecs } from './check.ts';

const MOST_READINGS = 6;
const EVENTS_KEPT = 1_000;
const AT_ONCE = 200;

export interface StateRead {
  readonly log: readonly LogEntry[];
  readonly specs: readonly StoredSpec[];
  readonly records: readonly StoredRecord[];
  readonly events: readonly SlipwayEvent[];
  /** Nothing changed while it was read. */
  readonly exact: boolean;
}

interface Reading {
  readonly log: readonly LogEntry[];
  readonly records: readonly StoredRecord[];
  /** Equal for two readings: nothing changed between them. */
  readonly fingerprint: string;
}

export interface ReadStateDeps {
  readonly store: Pick<Store, 'log' | 'specs' | 'events' | 'bucket'>;
  /** Called with each reading, from 1. */
  readonly onReading?: (reading: number) => void;
}

/** @throws STATE_UNAVAILABLE */
export async function readState({ store, onReading = () => {} }: ReadStateDeps): Promise<StateRead> {
  const entries = new Map<string, LogEntry[]>();
  let before = '';
  for (let i = 1; ; i++) {
    onReading(i);
    const { log, records, fingerprint } = await readOnce(store, entries);
    const exact = fingerprint === before;
    before = fingerprint;
    if (!exact && i < MOST_READINGS) continue;
    const specs = await inTurns(namedSpecs(log), async (digest) => ({ digest, value: await store.specs.get(digest) }));
    return { log, specs, records, events: await store.events.list(EVENTS_KEPT), exact };
  }
}

/** @param known entries of the log that were read before: they never change */
async function readOnce(store: ReadStateDeps['store'], known: Map<string, LogEntry[]>): Promise<Reading> {
  const early = await readBuckets(store, bucketsRead('before-log'));
  const namespaces = await store.log.namespaces();
  for (const namespace of namespaces) {
    const have = known.get(namespace) ?? [];
    known.set(namespace, have);
    const tip = await store.log.tip(namespace);
    while (have.length < tip) {
      const from = have.length + 1;
      have.push(...(await store.log.entries(namespace, { from, to: Math.min(tip, from + AT_ONCE - 1) })));
    }
  }
  const late = await readBuckets(store, bucketsRead('after-log'));
  const found = [...early, ...late];
  return {
    log: namespaces.flatMap((it) => known.get(it) ?? []),
    records: found.map(({ bucket, key, value }) => ({ bucket, key, value })),
    fingerprint: JSON.stringify([
      found.map(({ bucket, key, revision }) => [bucket, key, revision]),
      namespaces.map((it) => [it, known.get(it)?.length]),
    ]),
  };
}

async function readBuckets(store: ReadStateDeps['store'], names: readonly BucketName[]) {
  const lists = await Promise.all(
    names.map(async (bucket) => (await store.bucket(bucket).list()).map((it) => ({ ...it, key: [...it.key], bucket }))),
  );
  return lists.flat();
}

/** Not all at once: a server that is busy answers late, and too many late answers look like a failure. */
export async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE)
    done.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(work))));
  return done;
}
