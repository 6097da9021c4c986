/** Starts a nats-server that outlives us, and waits until it answers. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import { isAlive, type ProcessRecord, processRecord } from '../process-record.ts';

export interface LaunchOptions {
  readonly binary: string;
  readonly config: string;
  readonly logPath: string;
  /** Where the server writes which ports it has got, once it has them; emptied here. */
  readonly portsDir: string;
  readonly cwd: string;
  readonly port: number;
}

const READY_WITHIN_MS = 30_000;

/** @throws SETUP_FAILED when it ends at once (most often: its port is taken) or does not answer in time. */
export async function launchServer(options: LaunchOptions): Promise<ProcessRecord> {
  const { binary, config, logPath, portsDir, cwd, port } = options;
  await rm(portsDir, { recursive: true, force: true });
  await mkdir(portsDir, { recursive: true });
  const child = spawn(binary, ['-c', config], {
    cwd,
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  child.unref();
  const pid = child.pid;
  const record = pid === undefined ? await failed : await processRecord(pid);
  if (record === null || !(await isReady(record, portsDir, port))) {
    if (record !== null && (await isAlive(record))) process.kill(record.pid, 'SIGKILL');
    throw new SlipwayError('SETUP_FAILED', `nats-server did not start; ${logPath} says why`, { port });
  }
  return record;
}

/** The greeting alone could be of another server that has the port. */
async function isReady(record: ProcessRecord, portsDir: string, port: number): Promise<boolean> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && (await isAlive(record))) {
    const names = await readdir(portsDir);
    if (names.some((name) => name.endsWith(`_${record.pid}.ports`))) {
      return await answersWithin(deadline - performance.now(), port, record);
    }
    await sleep(5);
  }
  return false;
}

/** Whether the server of the record answers on the port, waiting for it while it lives. */
export async function answersWithin(timeoutMs: number, port: number, record: ProcessRecord): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline && (await isAlive(record))) {
    if ((await greets(port)) && (await isAlive(record))) return true;
    await sleep(10);
  }
  return false;
}

/** Every nats-server begins a connection with INFO (NATS client protocol). */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (chunk) => end(chunk.subarray(0, 5).toString('latin1') === 'INFO '));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** Ends it: SIGTERM, and SIGKILL when that does not help. Resolves when it is gone. */
export async function endServer(record: ProcessRecord, graceMs = 10_000): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!(await isAlive(record))) return;
    process.kill(record.pid, signal);
    const deadline = performance.now() + graceMs;
    while (performance.now() < deadline && (await isAlive(record))) await sleep(10);
  }
}
