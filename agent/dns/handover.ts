/**
 * The handover between two resolvers of one folder: the new one is ready to answer before it ends the old one, so that
 * nobody is without names for longer than two sockets need to change hands.
 */
import { isAlive, type ProcessRecord } from '../../store/process-record.ts';
import { sleep } from '../waiting.ts';
import { sendSignal } from './resolver-process.ts';
import { readRecord } from './resolver-record.ts';

const LOOK_MS = 5;
const GRACE_MS = 2000;

export interface Handover {
  /** Asks it to go. */
  begin(): void;
  /** How long to wait before the next attempt to take its sockets; null: it is gone. One that does not go is killed. */
  retryMs(): Promise<number | null>;
  /** It is gone, with whatever it does to its record. */
  end(): Promise<void>;
}

/** The resolver on record, when it is that process and lives; null: nobody has to go. */
export async function predecessorOf(dir: string, pid: number): Promise<ProcessRecord | null> {
  const record = await readRecord(dir);
  return record !== null && record.pid === pid && (await isAlive(record)) ? record : null;
}

/** The handover from that resolver to us. */
export function createHandover(predecessor: ProcessRecord, now: () => number): Handover {
  let deadline = Number.POSITIVE_INFINITY;

  async function retryMs(): Promise<number | null> {
    if (!(await isAlive(predecessor))) return null;
    if (now() >= deadline) sendSignal(predecessor.pid, 'SIGKILL');
    return LOOK_MS;
  }

  return {
    begin() {
      deadline = now() + GRACE_MS;
      sendSignal(predecessor.pid, 'SIGTERM');
    },
    retryMs,
    async end() {
      const never = new AbortController().signal;
      for (let waitMs = await retryMs(); waitMs !== null; waitMs = await retryMs()) await sleep(waitMs, never);
    },
  };
}
