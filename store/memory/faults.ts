/** Faults on purpose: what a network and a full disk do to writes, for tests of what is built above a table. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { AssetName } from '../assets.ts';
import type { Table } from '../table.ts';

/**
 * `lost-request`: never arrives. `lost-reply`: is stored, the answer never comes. `late`: the answer never comes, and
 * it is stored when `deliverLate` is called. `full`: refused for want of space.
 */
export type Fault = 'lost-request' | 'lost-reply' | 'late' | 'full';

export interface Faults {
  /** The next writes to the asset meet these faults, one each. */
  inject(asset: AssetName, ...faults: Fault[]): void;
  /** Stores what was late; what lost its place meanwhile is refused as the server would. */
  deliverLate(): Promise<void>;
  /** Every call fails until `reconnect`. */
  disconnect(): void;
  reconnect(): void;
}

export interface FaultyTables extends Faults {
  wrap(asset: AssetName, table: Table): Table;
  readonly connected: () => boolean;
  onChange(listener: (connected: boolean) => void, signal: AbortSignal): void;
}

/** Faults for the tables of one store. */
export function createFaults(): FaultyTables {
  const planned = new Map<AssetName, Fault[]>();
  const late: (() => Promise<number>)[] = [];
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;

  function unavailable(): SlipwayError {
    return new SlipwayError('STATE_UNAVAILABLE', 'the store does not answer');
  }

  function set(next: boolean): void {
    if (next === connected) return;
    connected = next;
    for (const listener of listeners) listener(connected);
  }

  function guarded<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (!connected) throw unavailable();
      return await call(...args);
    };
  }

  return {
    inject: (asset, ...faults) => void planned.set(asset, [...(planned.get(asset) ?? []), ...faults]),
    async deliverLate() {
      for (const write of late.splice(0)) await write().catch(() => {});
    },
    disconnect: () => set(false),
    reconnect: () => set(true),
    connected: () => connected,
    onChange(listener, signal) {
      listeners.add(listener);
      signal.addEventListener('abort', () => listeners.delete(listener), { once: true });
    },
    wrap: (asset, table) => ({
      ttlMs: table.ttlMs,
      last: guarded(table.last),
      lastUnder: guarded(table.lastUnder),
      at: guarded(table.at),
      keys: guarded(table.keys),
      state: guarded(table.state),
      tail: guarded(table.tail),
      onRestored(listener, signal) {
        const restored = (up: boolean) => {
          if (up) listener();
        };
        listeners.add(restored);
        signal.addEventListener('abort', () => listeners.delete(restored), { once: true });
      },
      write: guarded(async (write) => {
        const fault = planned.get(asset)?.shift();
        if (fault === 'full') throw new SlipwayError('STATE_FULL', 'the store is full');
        if (fault === 'late') late.push(() => table.write(write));
        if (fault === 'lost-reply') await table.write(write);
        if (fault !== undefined) throw unavailable();
        return await table.write(write);
      }),
    }),
  };
}
