/** The agent as a process of its own: started detached, adopted, started again when it dies while somebody watches. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { Clock } from '../../controller/execute/clock.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { StatePaths } from '../../schemas/installation.ts';
import type { Logger } from '../../schemas/logger.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { programPath } from '../../store/own-files.ts';
import { isAlive, type ProcessRecord, processRecord, readProcessRecord } from '../../store/process-record.ts';
import { endProcess } from './end-process.ts';

const LOOK_MS = 500;
const STOP_MS = 10_000;

export interface AgentProcess {
  /** The agent runs; an agent that runs already is adopted. */
  ensure(): Promise<ProcessRecord>;
  /** Starts it again whenever it died, until the signal aborts; leaves it running then. */
  supervise(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const startedRecord = (paths: Pick<StatePaths, 'agent'>) => `${paths.agent}/process.json`;

/**
 * The agent that runs: the one that we started, or one that a service manager or a person did (an agent names itself
 * in the second file); null: none does.
 */
export async function findAgent(paths: Pick<StatePaths, 'agent'>): Promise<ProcessRecord | null> {
  for (const file of [startedRecord(paths), `${paths.agent}/running.json`]) {
    const record = await readProcessRecord(file);
    if (record !== null && (await isAlive(record))) return record;
  }
  return null;
}

export function createAgentProcess(deps: { paths: StatePaths; clock: Clock; log: Logger }): AgentProcess {
  const { paths, clock, log } = deps;
  const recordFile = startedRecord(paths);

  async function ensure(): Promise<ProcessRecord> {
    const present = await findAgent(paths);
    if (present !== null) return present;
    await mkdir(paths.agent, { recursive: true, mode: 0o700 });
    await mkdir(paths.log, { recursive: true, mode: 0o750 });
    const out = openSync(`${paths.log}/agent.log`, 'a', 0o640);
    const script = programPath('agent/main');
    const child = spawn(process.execPath, [script, '--state-dir', paths.root], {
      detached: true,
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    child.unref();
    const record = child.pid === undefined ? null : await processRecord(child.pid);
    if (record === null) {
      throw new SlipwayError('SETUP_FAILED', `the agent did not start; ${paths.log}/agent.log says why`);
    }
    await writeDurable(recordFile, JSON.stringify(record));
    log.info({ pid: record.pid }, 'agent started');
    return record;
  }

  return {
    ensure,
    async supervise(signal) {
      while (!signal.aborted) {
        await clock.sleep(LOOK_MS, signal).catch(() => undefined);
        if (signal.aborted) return;
        if ((await findAgent(paths)) !== null) continue;
        log.warn({}, 'the agent is gone; starting it again');
        await ensure().catch((error: unknown) => log.error({ err: error }, 'agent not started'));
      }
    },
    async stop() {
      const present = await findAgent(paths);
      if (present === null) return;
      await endProcess(present, STOP_MS, clock);
      await rm(recordFile, { force: true });
    },
  };
}
