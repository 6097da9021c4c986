/** Recognises a process again after our own restart: its id alone may have gone to another one meanwhile. */
import { readFile } from 'node:fs/promises';

/** `startTicks`: field 22 of /proc/PID/stat (proc(5)); unique for a pid within one boot. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
  /** Which build runs in it (store/build.ts); left out by processes that do not say. */
  readonly build?: string;
}

/** The record of a living process; null when there is none of that id, or only its zombie. */
export async function processRecord(pid: number): Promise<ProcessRecord | null> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    const parsed = parseStat(stat);
    return parsed.state === 'Z' || parsed.state === 'X'
      ? null
      : { pid, startTicks: parsed.startTicks, bootId: bootId.trim() };
  } catch {
    return null;
  }
}

/** A record that was kept in a file; null: there is none, or it was written halfway. */
export async function readProcessRecord(path: string): Promise<ProcessRecord | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessRecord;
  } catch {
    return null;
  }
}

/** Whether the very process of the record lives. */
export async function isAlive(record: ProcessRecord): Promise<boolean> {
  const now = await processRecord(record.pid);
  return now !== null && now.startTicks === record.startTicks && now.bootId === record.bootId;
}

/** Fields of a line of /proc/PID/stat. The command, in brackets, may itself hold brackets and spaces. */
export function parseStat(line: string): {
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly startTicks: string;
} {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    session: Number(fields[3]),
    startTicks: fields[19] ?? '',
  };
}
