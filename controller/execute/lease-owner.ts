/**
 * Lease owners: who holds a lease, in a form that another process on the same machine can check.
 *
 * A process that was killed cannot release its leases. Others on its machine see that it is gone and need not wait
 * for the lease to expire; others elsewhere do.
 */
import { readFileSync } from 'node:fs';
import { parseStat } from '../../store/process-record.ts';

/** `<actor> #<machine>:<pid>:<start time in clock ticks since boot>` */
export function leaseOwner(actor: string, machine: string, pid: number = process.pid): string {
  return `${actor} #${machine}:${pid}:${startTicks(pid) ?? 0}`;
}

/** true only when the owner ran on this machine and its process is gone. */
export function isDeadOwner(owner: string, machine: string): boolean {
  const parsed = /#([^:#]+):(\d+):(\d+)$/.exec(owner);
  if (parsed === null || parsed[1] !== machine) return false;
  return startTicks(Number(parsed[2])) !== parsed[3];
}

/** null: no such process, or only its zombie. */
function startTicks(pid: number): string | null {
  try {
    const { state, startTicks: ticks } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return state === 'Z' ? null : ticks;
  } catch {
    return null;
  }
}
