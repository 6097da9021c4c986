/** Finds the nats-server that runs on a configuration file, whoever started it and whatever became of them. */
import type { Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { type ProcessRecord, processRecord } from '../process-record.ts';

/**
 * Looks through /proc, so that nothing depends on a record that a crash may have prevented. A process in a container
 * may use the same path for another file: it has to be the same file.
 */
export async function findServer(config: string): Promise<ProcessRecord | null> {
  const ours = await stat(config).catch(() => null);
  if (ours === null) return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ((await runsOn(pid, config, ours)) ? pid : null)));
  const pid = found.find((it) => it !== null);
  return pid === undefined || pid === null ? null : await processRecord(pid);
}

async function runsOn(pid: number, config: string, ours: Stats): Promise<boolean> {
  try {
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    if (!['-c', '--config'].includes(args[1] ?? '') || args[2] !== config) return false;
    const theirs = await stat(`/proc/${pid}/root${config}`);
    return theirs.ino === ours.ino && theirs.dev === ours.dev;
  } catch {
    // Gone meanwhile, or not ours to look at.
    return false;
  }
}
