/** Observations: a snapshot on change and every 30 s, a heartbeat every 5 s, and the machine's own record. */
import type { Logger } from '../schemas/logger.ts';
import { Machine, type MachineSnapshot } from '../schemas/observed.ts';
import type { Bucket, Messages } from '../store/port.ts';
import { sleep } from './waiting.ts';

const COALESCE_MS = 100;
const FULL_EVERY_MS = 30_000;
const HEARTBEAT_EVERY_MS = 5000;

export interface Observer {
  /** Something may have changed. */
  nudge(): void;
  /** What was written may be lost (the server forgets it when it restarts): written again, changed or not. */
  renew(): void;
  run(signal: AbortSignal): Promise<void>;
}

export interface ObserverDeps {
  readonly machine: string;
  readonly observed: Pick<Bucket, 'put'>;
  readonly machines: Pick<Bucket, 'get' | 'put' | 'create'>;
  readonly messages: Pick<Messages, 'publish'>;
  /** null: too little is known to say anything. Without `at`, which would make every snapshot differ. */
  readonly snapshot: () => Omit<MachineSnapshot, 'at'> | null;
  readonly connected: () => boolean;
  readonly now: () => number;
  readonly log: Logger;
}

export function createObserver(deps: ObserverDeps): Observer {
  const { machine, observed, machines, messages, snapshot, connected, now, log } = deps;
  let written = '';
  let writtenAt = 0;
  let wake = () => {};

  async function write(): Promise<void> {
    const found = connected() ? snapshot() : null;
    if (found === null) return;
    const text = JSON.stringify(found);
    if (text === written && now() - writtenAt < FULL_EVERY_MS) return;
    await observed.put([machine], { ...found, at: new Date(now()).toISOString() } satisfies MachineSnapshot);
    [written, writtenAt] = [text, now()];
  }

  async function register(): Promise<void> {
    if ((await machines.get([machine])) !== null) return;
    const record = { name: machine, labels: {}, region: null, zone: null, registeredAt: new Date(now()).toISOString() };
    await machines.create([machine], Machine.parse(record));
  }

  async function snapshots(signal: AbortSignal): Promise<void> {
    let registered = false;
    while (!signal.aborted) {
      const nudged = new Promise<void>((resolve) => {
        wake = resolve;
      });
      try {
        if (!registered && connected()) {
          await register();
          registered = true;
        }
        await write();
      } catch (error) {
        log.debug({ err: error }, 'the snapshot could not be written; the next one will');
      }
      await Promise.race([nudged, sleep(1000, signal)]);
      await sleep(COALESCE_MS, signal);
    }
  }

  async function heartbeats(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (connected()) messages.publish(['heartbeat', machine], { machine, at: new Date(now()).toISOString() });
      await sleep(HEARTBEAT_EVERY_MS, signal);
    }
  }

  return {
    nudge: () => wake(),
    renew() {
      written = '';
      wake();
    },
    async run(signal) {
      await Promise.all([snapshots(signal), heartbeats(signal)]);
    },
  };
}
