/** Every way the store can be had, for suites that hold all of them to the same cases. */
import { silentLogger } from '../../../schemas/logger.ts';
import type { StoreTiming } from '../../../store/assets.ts';
import { systemClock } from '../../../store/clock.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import { connectNats } from '../../../store/nats.ts';
import type { Store } from '../../../store/port.ts';
import { type NatsLab, startNats } from '../../lab/nats.ts';
import { natsServerOfTrixie } from '../../lab/nats-trixie.ts';

export interface StoreLab {
  /** One more client of the same state. */
  connect(timing?: Partial<StoreTiming>): Promise<Store>;
  /** Closes every client and ends what was started. */
  stop(): Promise<void>;
}

export interface NatsStoreLab extends StoreLab {
  readonly nats: NatsLab;
}

export interface Technology<L> {
  readonly name: string;
  readonly open: () => Promise<L>;
}

/** Times so short that a test can wait for them. */
export const SHORT: Partial<StoreTiming> = {
  leaseTtlMs: 1500,
  leaseRenewMs: 300,
  leaseLostMs: 1000,
  observedTtlMs: 1500,
  watchCheckMs: 300,
  deliveryAckMs: 300,
};

/** The servers that the store must work on; Debian 13's is left out only where SLIPWAY_SKIP_TRIXIE=1. */
export const servers: readonly Technology<NatsStoreLab>[] = [
  { name: 'nats-server of this machine', open: async () => await openNats('nats-server') },
  ...(process.env['SLIPWAY_SKIP_TRIXIE'] === '1'
    ? []
    : [{ name: 'nats-server of Debian 13', open: async () => await openNats((await natsServerOfTrixie()) ?? '') }]),
];

/** Memory and every server. */
export const technologies: readonly Technology<StoreLab>[] = [
  { name: 'memory', open: async () => openMemory() },
  ...servers,
];

function openMemory(): StoreLab {
  let store: Store | undefined;
  return {
    async connect(timing = SHORT) {
      store ??= createMemoryStore({ clock: systemClock, log: silentLogger, timing });
      return store;
    },
    stop: async () => await store?.close(),
  };
}

async function openNats(binary: string): Promise<NatsStoreLab> {
  const nats = await startNats({ binary });
  const stores: Store[] = [];
  return {
    nats,
    async connect(timing = SHORT) {
      const store = await connectNats({ url: nats.url, name: 'test', clock: systemClock, log: silentLogger, timing });
      stores.push(store);
      return store;
    },
    async stop() {
      await Promise.all(stores.map((store) => store.close()));
      await nats.stop();
    },
  };
}
