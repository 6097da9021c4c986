/** The store over the tables of a technology: everything that is the same for all of them comes together here. */
import type { Logger } from '../schemas/logger.ts';
import type { AssetName, StoreTiming } from './assets.ts';
import { createBucket } from './buckets.ts';
import type { Clock } from './clock.ts';
import { createDeliveries } from './deliveries.ts';
import { createEvents } from './events.ts';
import { readGeneration } from './generation.ts';
import { createLeases } from './leases.ts';
import { createLog } from './log.ts';
import { createPatience } from './patience.ts';
import type { Messages, Store } from './port.ts';
import type { Queue } from './queue.ts';
import { createSpecs } from './specs.ts';
import type { LogTable, Table } from './table.ts';

interface Technology {
  readonly logTable: LogTable;
  table(name: Exclude<AssetName, 'log'>): Table;
  /** The work queue of an asset. */
  queue(name: 'hooks'): Queue;
  readonly messages: Messages;
  readonly onConnection: Store['onConnection'];
  close(): Promise<void>;
}

export interface AssembleDeps {
  readonly technology: Technology;
  readonly timing: StoreTiming;
  readonly clock: Clock;
  readonly log: Logger;
  /** Written into the cluster record when there is none yet. */
  readonly installation: string | null;
}

/** A store of one technology. */
export function assembleStore({ technology, timing, clock, log, installation }: AssembleDeps): Store {
  const closing = new AbortController();
  const closed = closing.signal;
  const patiently = createPatience({ forMs: timing.patienceMs, closed });
  const base = { patiently, clock, log, watchCheckMs: timing.watchCheckMs };
  const bucketOver = (name: Exclude<AssetName, 'log'>) => createBucket({ ...base, table: technology.table(name) });

  const cluster = bucketOver('cluster');
  const generation = () => readGeneration(cluster, installation);
  const events = createEvents({ ...base, table: technology.table('events') });
  return {
    log: createLog({ ...base, table: technology.logTable }),
    specs: createSpecs({ ...base, table: technology.table('specs') }),
    events,
    deliveries: createDeliveries({
      ...base,
      events,
      closed,
      queue: technology.queue('hooks'),
      ackMs: timing.deliveryAckMs,
    }),
    leases: createLeases({ bucket: bucketOver('leases'), generation, timing, clock, closed, log }),
    messages: technology.messages,
    bucket: bucketOver,
    generation,
    onConnection: technology.onConnection,
    async close() {
      closing.abort();
      await technology.close();
    },
  };
}
