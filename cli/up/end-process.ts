/** Ends a process that we know by its record: asked first, then killed. */
import type { Clock } from '../../controller/execute/clock.ts';
import { isAlive, type ProcessRecord } from '../../store/process-record.ts';

const LOOK_MS = 50;

/** Resolves when it has ended. false: it did not live. */
export async function endProcess(record: ProcessRecord, graceMs: number, clock: Clock): Promise<boolean> {
  if (!(await isAlive(record))) return false;
  send(record, 'SIGTERM');
  const until = clock.now() + graceMs;
  while (await isAlive(record)) {
    if (clock.now() >= until) send(record, 'SIGKILL');
    await clock.sleep(LOOK_MS);
  }
  return true;
}

function send({ pid }: ProcessRecord, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
