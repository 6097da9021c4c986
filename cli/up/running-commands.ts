/** Commands that go on until somebody ends them (`up`, `controller`), known to `slipway down` by a record each. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../controller/execute/clock.ts';
import type { StatePaths } from '../../schemas/installation.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { isAlive, type ProcessRecord, processRecord, readProcessRecord } from '../../store/process-record.ts';
import { endProcess } from './end-process.ts';

/** Shutting down waits for what the controller has under way. */
const STOP_MS = 20_000;

/** This process is known until it is disposed of; the record of one that was killed names nobody who lives. */
export async function registerCommand(paths: Pick<StatePaths, 'running'>): Promise<AsyncDisposable> {
  const path = join(paths.running, `${process.pid}.json`);
  await mkdir(paths.running, { recursive: true, mode: 0o700 });
  await writeDurable(path, JSON.stringify(await processRecord(process.pid)));
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Process ids of those that live. */
export async function runningCommands(paths: Pick<StatePaths, 'running'>): Promise<number[]> {
  const records = await readRecords(paths);
  const living = await Promise.all(records.map(isAlive));
  return records.filter((_, index) => living[index]).map((it) => it.pid);
}

/** Ends them, as Ctrl-C does: they would start again what is ended after them. Gives how many there were. */
export async function stopCommands(paths: Pick<StatePaths, 'running'>, clock: Clock): Promise<number> {
  const living = await Promise.all((await readRecords(paths)).map((it) => endProcess(it, STOP_MS, clock)));
  await rm(paths.running, { recursive: true, force: true });
  return living.filter(Boolean).length;
}

async function readRecords(paths: Pick<StatePaths, 'running'>): Promise<ProcessRecord[]> {
  const names = await readdir(paths.running).catch(() => []);
  const records = await Promise.all(names.map((it) => readProcessRecord(join(paths.running, it))));
  return records.filter((it) => it !== null);
}
