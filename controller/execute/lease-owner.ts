/**
 * Lease owners: who holds a lease, in a form that another process on the same machine can check.
 *
 * A process that was killed cannot release its leases. Others on its machine see that it is gone and need not wait
 * for the lease to expire; others elsewhere do.
 */
import { readFileSync } from 'node:fs';

/** `<actor> #<machine>:<pid>:<start time in clock ticks since boot>` */
export function leaseOwner(actor: string, machine: string, pid: number = process.pid): string {
  return `${actor} #${machine}:${pid}:${startTicks(pid) ?? 0}`;
}

/** true only when the owner ran on this machine and its process is gone. */
export function isDeadOwner(owner: string, machine: string): boolean {
  const parsed = /#([^:#]+):(\d+):(\d+)$/.exec(owner);
  if (parsed === null || parsed[1] !== machine) return false;
  return startTicks(Number(parsed[2])) !== Number(parsed[3]);
}

/** Source: proc(5), field 22 of /proc/PID/stat; the command in parentheses may hold spaces. A zombie counts as gone. */
function startTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : Number(fields[19]);
  } catch {
    return null;
  }
}
