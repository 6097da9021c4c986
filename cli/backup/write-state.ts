/** Writes the state of a backup into an empty store. Every write is an "ensure": one that was cut off is run again. */
import type { BackupContents } from '../../schemas/backup.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { Store } from '../../store/port.ts';
import { backedUp } from './buckets.ts';
import { inTurns } from './read-state.ts';

const MOST_EVENTS = 100_000;

export interface WriteStateDeps {
  readonly store: Pick<Store, 'log' | 'specs' | 'events' | 'bucket'>;
  readonly contents: BackupContents;
  /** Called with what is written next, for people. */
  readonly onPart?: (text: string) => void;
}

/** The store holds what the backup does. @throws STATE_CONFLICT when the log holds something else already */
export async function writeState({ store, contents, onPart = () => {} }: WriteStateDeps): Promise<void> {
  const { specs, log, records, events } = contents;
  onPart(`${specs.length} specs`);
  // Before the log: an entry never names a spec that is not there.
  await inTurns(specs, async ({ value }) => await store.specs.put([value]));
  onPart(`${log.length} log entries`);
  const namespaces = [...new Set(log.map((it) => it.namespace))];
  await Promise.all(
    namespaces.map((it) =>
      append(
        store,
        log.filter(({ namespace }) => namespace === it),
      ),
    ),
  );
  onPart(`${records.length} records`);
  await inTurns(records, async ({ bucket, key, value }) => {
    const row = backedUp(bucket);
    if (row !== null) await store.bucket(row.bucket).put(key, value);
  });
  onPart(`${events.length} events`);
  const present = (await store.events.list(MOST_EVENTS)).length;
  for (const it of events.slice(present)) await store.events.publish(it);
}

/** In order: entry n wants n - 1 to be there. */
async function append(store: WriteStateDeps['store'], entries: readonly LogEntry[]): Promise<void> {
  for (const entry of entries) {
    const { outcome } = await store.log.append(entry);
    if (outcome === 'committed') continue;
    throw new SlipwayError(
      'STATE_CONFLICT',
      `the log of ${entry.namespace} holds another entry ${entry.n} than the backup: it is not an empty NATS server`,
    );
  }
}
