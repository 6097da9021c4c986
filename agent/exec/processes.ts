/**
 * The processes of a command in a container, as the machine sees them. Docker begins a command as the leader of a session
 * of its own and has no call that ends it; what it begot belongs to the session or descends from it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isAlive, type ProcessRecord, parseStat } from '../../store/process-record.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

/** The command's process on this machine, and the container that it must be in. */
export interface Command {
  readonly containerId: string;
  readonly leader: ProcessRecord;
}

/** Every process of the session, and every descendant of those. Pure. */
export function membersOf(leader: number, all: readonly Process[]): number[] {
  const members = new Set(all.filter((it) => it.pid === leader || it.session === leader).map((it) => it.pid));
  for (let before = -1; before < members.size; ) {
    before = members.size;
    for (const it of all) if (members.has(it.parent)) members.add(it.pid);
  }
  return [...members];
}

/** Sends the signal to the command and all it begot; gives how many there were. Nothing outside of its container. */
export function signalCommand({ containerId, leader }: Command, signal: NodeJS.Signals): number {
  const members = membersOf(leader.pid, processesOf(containerId));
  for (const pid of members) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself.
    }
  }
  return members.length;
}

/** Whether the leader of a record that was kept still is that process, or is gone: its number is not another's by now. */
export async function isSame({ leader }: Command): Promise<boolean> {
  if (await isAlive(leader)) return true;
  try {
    readFileSync(`/proc/${leader.pid}/stat`);
    return false;
  } catch {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() === leader.bootId;
  }
}

/** The path of a container's control group holds its id, with every driver and version (cgroups(7), /proc/pid/cgroup). */
function processesOf(containerId: string): Process[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(containerId)) return [];
        const { parent, session } = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
        return [{ pid: Number(pid), parent, session }];
      } catch {
        return [];
      }
    });
}
