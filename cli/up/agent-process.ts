/**
 * The agent as a process of its own: started detached, adopted, replaced when it is of another build, started again
 * when it dies while somebody watches. Containers, gateway and resolver do not notice.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '../../controller/execute/clock.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { StatePaths } from '../../schemas/installation.ts';
import type { Logger } from '../../schemas/logger.ts';
import { buildOf } from '../../store/build.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { programPath } from '../../store/own-files.ts';
import { isAlive, type ProcessRecord, processRecord, readProcessRecord } from '../../store/process-record.ts';
import { endProcess } from './end-process.ts';

const LOOK_MS = 500;
const STOP_MS = 10_000;

/** The program that agents of this installation are started from, by whoever starts one. */
const AgentProgram = z.looseObject({ script: z.string(), build: z.string() });
type AgentProgram = z.infer<typeof AgentProgram>;

/** `kept`: it is of another build, but a service manager runs it, whose business it is to start it again. */
export type AgentOutcome = 'started' | 'adopted' | 'replaced' | 'kept';

export interface AgentProcess {
  /** The agent of this build runs; one of another build is ended first, unless somebody else looks after it. */
  ensure(): Promise<AgentOutcome>;
  /** Starts it again whenever it died, until the signal aborts; leaves it running then. */
  supervise(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const startedRecord = (paths: Pick<StatePaths, 'agent'>) => `${paths.agent}/process.json`;

/** A living agent; `own`: an `up` started it, and so may end it. */
type FoundAgent = ProcessRecord & { readonly own: boolean };

/**
 * The agent that runs: the one that we started, or one that a service manager or a person did (an agent names itself
 * in the second file); null: none does.
 */
export async function findAgent(paths: Pick<StatePaths, 'agent'>): Promise<FoundAgent | null> {
  for (const file of [startedRecord(paths), `${paths.agent}/running.json`]) {
    const record = await readProcessRecord(file);
    if (record !== null && (await isAlive(record))) return { ...record, own: file === startedRecord(paths) };
  }
  return null;
}

export function createAgentProcess(deps: { paths: StatePaths; clock: Clock; log: Logger }): AgentProcess {
  const { paths, clock, log } = deps;
  const recordFile = startedRecord(paths);
  const programFile = `${paths.agent}/program.json`;

  async function start({ script, build }: AgentProgram): Promise<void> {
    await mkdir(paths.log, { recursive: true, mode: 0o750 });
    const out = openSync(`${paths.log}/agent.log`, 'a', 0o640);
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
    await writeDurable(recordFile, JSON.stringify({ ...record, build }));
    log.info({ pid: record.pid, build }, 'agent started');
  }

  async function ourProgram(): Promise<AgentProgram> {
    return { script: programPath('agent/main'), build: await buildOf('agent/main') };
  }

  async function ensure(): Promise<AgentOutcome> {
    const program = await ourProgram();
    const present = await findAgent(paths);
    if (present?.build === program.build) return 'adopted';
    if (present !== null && !present.own) return 'kept';
    await mkdir(paths.agent, { recursive: true, mode: 0o700 });
    // First: an older `up` that still watches starts this one too, not its own again.
    await writeDurable(programFile, JSON.stringify(program));
    if (present !== null) await endProcess(present, STOP_MS, clock);
    await start(program);
    return present === null ? 'started' : 'replaced';
  }

  /** What the newest `up` wanted to run; ours when none had to start an agent yet. */
  async function wanted(): Promise<AgentProgram> {
    const text = await readFile(programFile, 'utf8').catch(() => null);
    return text === null ? await ourProgram() : AgentProgram.parse(JSON.parse(text));
  }

  return {
    ensure,
    async supervise(signal) {
      while (!signal.aborted) {
        await clock.sleep(LOOK_MS, signal).catch(() => undefined);
        if (signal.aborted) return;
        if ((await findAgent(paths)) !== null) continue;
        log.warn({}, 'the agent is gone; starting it again');
        const again = async () => await start(await wanted());
        await again().catch((error: unknown) => log.error({ err: error }, 'agent not started'));
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
