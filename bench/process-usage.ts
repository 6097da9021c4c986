/** What the kernel says that a process has used. Source: proc(5). */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './stats.ts';

/** Clock ticks a second of /proc/PID/stat: 100 on every Linux that Node.js runs on (USER_HZ). */
const TICK_MS = 10;

export interface MemoryUse {
  /** VmRSS, the median of what was read while it was watched. */
  readonly rssKib: number;
  /** VmHWM: the most it ever had. */
  readonly peakKib: number;
  /** Share of one core while it was watched: 1 is all of it. */
  readonly cpuShare: number;
}

/** CPU time of the process so far, user and system. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Watches a process for a while. */
export async function watchMemory(pid: number, forMs: number, signal: AbortSignal): Promise<MemoryUse> {
  const [begunAt, cpuBefore] = [performance.now(), await cpuMs(pid)];
  const samples: number[] = [];
  while (performance.now() - begunAt < forMs) {
    samples.push(await statusKib(pid, 'VmRSS'));
    await sleep(500, undefined, { signal });
  }
  const cpuShare = ((await cpuMs(pid)) - cpuBefore) / (performance.now() - begunAt);
  return { rssKib: median(samples), peakKib: await statusKib(pid, 'VmHWM'), cpuShare };
}

async function statusKib(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text);
  if (found === null) throw new Error(`/proc/${pid}/status has no ${field}`);
  return Number(found[1]);
}
