/** Which processes belong to a command in a container. */
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { isSame, membersOf, signalCommand } from '../../../agent/exec/processes.ts';
import { processRecord } from '../../../store/process-record.ts';

it('takes the session of the command and what descends from it, and nothing else', () => {
  const all = [
    { pid: 1, parent: 0, session: 1 },
    { pid: 50, parent: 1, session: 50 },
    { pid: 51, parent: 50, session: 50 },
    // Its parent has ended.
    { pid: 52, parent: 1, session: 50 },
    // It began a session of its own.
    { pid: 60, parent: 51, session: 60 },
    { pid: 61, parent: 60, session: 60 },
    { pid: 70, parent: 1, session: 70 },
  ];
  expect(membersOf(50, all).toSorted((a, b) => a - b)).toEqual([50, 51, 52, 60, 61]);
  expect(membersOf(99, all)).toEqual([]);
});

it('touches no process outside of the container, whatever its number', async () => {
  const child = spawn('sleep', ['60']);
  try {
    const leader = await processRecord(child.pid ?? 0);
    if (leader === null) throw new Error('it does not run');
    expect(signalCommand({ containerId: 'f'.repeat(64), leader }, 'SIGKILL')).toBe(0);
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill('SIGKILL');
  }
});

it('knows when the number of a process that was kept is another process by now', async () => {
  const leader = await processRecord(process.pid);
  if (leader === null) throw new Error('we do not run');
  expect(await isSame({ containerId: 'c', leader })).toBe(true);
  expect(await isSame({ containerId: 'c', leader: { ...leader, startTicks: '1' } })).toBe(false);
  expect(await isSame({ containerId: 'c', leader: { ...leader, pid: 4_194_305, bootId: 'another' } })).toBe(false);
});
