/**
 * The processes of HAProxy: found, checked, started, ended. One master with its workers, detached, so it outlives us.
 *
 * Ours are known by their argv, which holds the path of our configuration; there is no pid file that a crash could
 * leave behind or fail to write.
 */
import { spawn } from 'node:child_process';
import { open, readdir, readFile, stat, truncate } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import type { GatewayClock } from './clock.ts';
import type { GatewayPaths } from './paths.ts';

/** A process, told apart from a later one with the same pid by its start time (clock ticks since boot). */
export interface ProcessRef {
  readonly pid: number;
  readonly startedTicks: number;
}

/** A process of ours; the master is the one whose parent is none of ours. */
export interface OurProcess extends ProcessRef {
  readonly parent: number;
}

const CHECK_MS = 30_000;
const ENDING_MS = 5_000;
const LOG_BYTES = 4 * 1024 * 1024;

/** Every process that runs with this configuration, masters first. */
export async function findProcesses(configPath: string): Promise<OurProcess[]> {
  const pids = (await readdir('/proc')).filter((it) => /^\d+$/.test(it)).map(Number);
  const found = (await Promise.all(pids.map((pid) => inspect(pid, configPath)))).filter((it) => it !== null);
  const ours = new Set(found.map((it) => it.pid));
  return found.toSorted((a, b) => Number(ours.has(a.parent)) - Number(ours.has(b.parent)) || a.pid - b.pid);
}

/** The processes among them that no other of them started. */
export function masters(processes: readonly OurProcess[]): OurProcess[] {
  const pids = new Set(processes.map((it) => it.pid));
  return processes.filter((it) => !pids.has(it.parent));
}

async function inspect(pid: number, configPath: string): Promise<OurProcess | null> {
  const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  if (argv[argv.indexOf('-f') + 1] !== configPath || !argv.includes('-W')) return null;
  const state = await readStat(pid);
  return state === null ? null : { pid, ...state };
}

/** null: it is gone, or only waits to be reaped. */
async function readStat(pid: number): Promise<{ parent: number; startedTicks: number } | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (text === '' || fields[0] === 'Z' || fields[0] === 'X') return null;
  return { parent: Number(fields[1]), startedTicks: Number(fields[19]) };
}

/** Whether this very process still runs. */
export async function isAlive(process: ProcessRef): Promise<boolean> {
  return (await readStat(process.pid))?.startedTicks === process.startedTicks;
}

/** @throws GATEWAY_FAILED with what HAProxy says of the file; SETUP_FAILED: there is no HAProxy */
export async function checkConfig(binary: string, path: string): Promise<void> {
  const child = spawn(binary, ['-c', '-f', path], { stdio: ['ignore', 'ignore', 'pipe'], timeout: CHECK_MS });
  const said: Buffer[] = [];
  child.stderr.on('data', (part: Buffer) => said.push(part));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(notInstalled(binary, error)));
    child.once('close', resolve);
  });
  if (exitCode === 0) return;
  const alerts = alertsOf(Buffer.concat(said).toString('utf8'));
  throw new SlipwayError('GATEWAY_FAILED', `HAProxy refuses the configuration: ${alerts[0] ?? `exit ${exitCode}`}`, {
    alerts,
  });
}

/** Starts a master in a session of its own; its output goes to the log file. Whether it serves shows on its socket. */
export async function launch(binary: string, paths: GatewayPaths): Promise<ProcessRef> {
  await trimLog(paths.log);
  const log = await open(paths.log, 'a', 0o600);
  try {
    const argv = ['-W', '-S', `${paths.masterSocket},mode,600`, '-f', paths.config];
    const child = spawn(binary, argv, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: paths.dir });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(notInstalled(binary, error)));
    });
    child.unref();
    const pid = child.pid ?? 0;
    return { pid, startedTicks: (await readStat(pid))?.startedTicks ?? 0 };
  } finally {
    await log.close();
  }
}

/** Ends the processes: asked first, then killed. Resolves when none is left. */
export async function end(processes: readonly ProcessRef[], signal: 'SIGTERM' | 'SIGKILL', clock: GatewayClock) {
  const until = clock.now() + ENDING_MS;
  let left = processes;
  let send: NodeJS.Signals = signal;
  for (;;) {
    const alive = await Promise.all(left.map(isAlive));
    left = left.filter((_, index) => alive[index]);
    if (left.length === 0) return;
    if (clock.now() >= until) send = 'SIGKILL';
    if (clock.now() >= until + ENDING_MS) throw new SlipwayError('GATEWAY_FAILED', 'HAProxy cannot be ended');
    for (const it of left) kill(it.pid, send);
    await clock.sleep(20);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

/** Where HAProxy's log ends now, in bytes. */
export async function logEnd(path: string): Promise<number> {
  return await stat(path).then(
    (it) => it.size,
    () => 0,
  );
}

/** The alerts that were logged behind that place, the first cause first. */
export async function alertsSince(path: string, offsetBytes: number): Promise<string[]> {
  const log = await readFile(path).catch(() => Buffer.alloc(0));
  return alertsOf(log.subarray(offsetBytes).toString('utf8')).slice(0, 5);
}

/** HAProxy appends to its log for as long as it runs, so the file is cut, never replaced. */
export async function trimLog(path: string): Promise<void> {
  if ((await logEnd(path)) > LOG_BYTES) await truncate(path, 0);
}

function alertsOf(text: string): string[] {
  return [...text.matchAll(/^\[ALERT\]\s+\(\d+\) : (.*)$/gm)].map((it) => it[1] ?? '');
}

function notInstalled(binary: string, error: Error): SlipwayError {
  return new SlipwayError('SETUP_FAILED', `HAProxy cannot be started: is ${binary} installed?`, { binary }, error);
}
