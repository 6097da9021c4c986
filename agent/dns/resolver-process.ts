/** Starts, finds and ends the resolver process of one folder. It outlives the agent. */
import { spawn } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import { isAlive, type ProcessRecord, processRecord } from '../../store/process-record.ts';
import { sleep } from '../waiting.ts';
import { type ResolverRecord, readRecord, removeRecord, resolverFiles } from './resolver-record.ts';

const LOG_BYTES_MAX = 1_048_576;
const STOP_GRACE_MS = 2000;

export interface ResolverProcessDeps {
  readonly dir: string;
  readonly port: number;
  /** Program and arguments that run agent/dns/main; ours are appended. */
  readonly command: readonly [string, ...string[]];
  /** Which build the command runs; it stands in the resolver's record. */
  readonly build?: string | undefined;
}

/** The living resolver of the folder, null when there is none. */
export async function findResolver(dir: string): Promise<ResolverRecord | null> {
  const record = await readRecord(dir);
  return record !== null && (await isAlive(record)) ? record : null;
}

/**
 * Starts one, in a session of its own, its output in the folder's log file.
 *
 * @param replaces the resolver whose place it takes: ended by the new one as soon as that is ready to answer
 * @throws SETUP_FAILED when the program cannot be run
 */
export async function startResolver(
  deps: ResolverProcessDeps,
  listen: string,
  replaces: ProcessRecord | null = null,
): Promise<ProcessRecord> {
  const { dir, port, build } = deps;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [program, ...argv] = [
    ...deps.command,
    '--dir',
    dir,
    '--listen',
    listen,
    '--port',
    String(port),
    ...(build === undefined ? [] : ['--build', build]),
    ...(replaces === null ? [] : ['--replaces', String(replaces.pid)]),
  ];
  const log = await open(await logFile(dir), 'a', 0o600);
  try {
    // A pipe would tie it to us: it would die of, or wait for, a reader that is gone.
    const child = spawn(program as string, argv, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.on('error', () => {});
    child.unref();
    const pid = child.pid as number;
    return (await processRecord(pid)) ?? { pid, startTicks: '', bootId: '' };
  } catch (error) {
    throw new SlipwayError('SETUP_FAILED', `The resolver did not start (${program}).`, {}, error);
  } finally {
    await log.close();
  }
}

/** Ends the process of the record, if it still is the same one, and removes the record. */
export async function stopResolver(dir: string, record: ProcessRecord): Promise<void> {
  const never = new AbortController().signal;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = performance.now() + STOP_GRACE_MS;
    if (await isAlive(record)) sendSignal(record.pid, signal);
    while ((await isAlive(record)) && performance.now() < deadline) await sleep(20, never);
  }
  await removeRecord(dir, record.pid);
}

/** Sends it, if there still is somebody to get it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}

/** The log is kept below twice its limit: looked at whenever a resolver starts. */
async function logFile(dir: string): Promise<string> {
  const { log } = resolverFiles(dir);
  const size = await stat(log).then(
    (it) => it.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(log, `${log}.1`);
  return log;
}
