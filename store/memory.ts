/** The store in memory: the same logic as over NATS, above tables that live and die with the process. For fast tests. */
import type { Logger } from '../schemas/logger.ts';
import { assembleStore } from './assemble.ts';
import { type AssetName, assetsOf, DEFAULT_TIMING, type StoreTiming } from './assets.ts';
import type { Clock } from './clock.ts';
import { createFaults, type Faults } from './memory/faults.ts';
import { createMemoryMessages } from './memory/messages.ts';
import { createMemoryQueue } from './memory/queue.ts';
import { createMemoryTable } from './memory/table.ts';
import type { Store } from './port.ts';
import type { Table } from './table.ts';

export interface MemoryStoreDeps {
  /** Entries expire by its time. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing?: Partial<StoreTiming>;
  readonly installation?: string | null;
}

/** A store of its own, empty. */
export function createMemoryStore(deps: MemoryStoreDeps): Store {
  return createFaultyStore(deps).store;
}

/** A store whose connection and writes can be made to fail. */
export function createFaultyStore({ clock, log, timing, installation }: MemoryStoreDeps): {
  readonly store: Store;
  readonly faults: Faults;
} {
  const times = { ...DEFAULT_TIMING, ...timing };
  const assets = assetsOf(times);
  const faults = createFaults();
  const tables = new Map<AssetName, Table>();
  const table = (name: AssetName): Table => {
    const present = tables.get(name) ?? faults.wrap(name, createMemoryTable({ asset: assets[name], clock }));
    tables.set(name, present);
    return present;
  };
  const logTable = table('log');
  const store = assembleStore({
    timing: times,
    clock,
    log,
    installation: installation ?? null,
    technology: {
      table,
      logTable: {
        ...logTable,
        async appendEntry(key, body) {
          await logTable.write({ key, body, expected: 0 });
        },
      },
      queue: (name) => createMemoryQueue({ table: table(name), clock, ackMs: times.deliveryAckMs }),
      messages: createMemoryMessages({ log }),
      onConnection(onChange, signal) {
        onChange(faults.connected());
        faults.onChange(onChange, signal);
      },
      close: async () => {},
    },
  });
  return { store, faults };
}
