/** One command that somebody runs in a container: its output to the outbox, its input from the wire, and its end. */

import type { ExecSaying, Terminal } from '../../schemas/exec.ts';
import type { Logger } from '../../schemas/logger.ts';
import { processRecord } from '../../store/process-record.ts';
import type { Inside } from '../docker/port.ts';
import { sleep } from '../waiting.ts';
import type { Outbox } from './outbox.ts';
import { type Command, signalCommand } from './processes.ts';

const MAX_WAITING_INPUT_BYTES = 512 * 1024;
/** Between being asked to end and being made to. */
const GRACE_MS = 2_000;
const LOOK_EVERY_MS = 20;

export interface Session {
  /** `full`: nothing was taken. */
  take(say: ExecSaying): 'taken' | 'full';
  /** Ends the command, and resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills it without waiting: the agent itself ends. */
  kill(): void;
  /** The command has not ended yet. */
  runs(): boolean;
  /** Resolves when the command has ended and its reader knows, or is gone. Never rejects. */
  readonly over: Promise<void>;
}

export interface SessionDeps {
  readonly containerId: string;
  readonly inside: Inside;
  readonly terminal: Terminal | null;
  readonly outbox: Outbox;
  /** Called when the command's process is known. */
  readonly onProcess: (command: Command) => Promise<void>;
  readonly log: Logger;
}

export function startSession(deps: SessionDeps): Session {
  const { containerId, inside, outbox, onProcess, log } = deps;
  const input: (Buffer | 'end')[] = [];
  let inputBytes = 0;
  let nextInput = 0;
  let writing = false;
  let command: Command | null = null;
  let { terminal } = deps;
  let stopping: Promise<void> | null = null;
  const ended = new AbortController();
  const searching = new AbortController();

  async function writeInput(): Promise<void> {
    if (writing) return;
    writing = true;
    for (let it = input.shift(); it !== undefined; it = input.shift()) {
      if (it === 'end') inside.endInput();
      else {
        await inside.write(it);
        inputBytes -= it.length;
      }
    }
    writing = false;
  }

  /** The process is known a moment after the command began. */
  async function findProcess(): Promise<void> {
    while (!ended.signal.aborted && !searching.signal.aborted) {
      const state = await inside.state().catch((error: unknown) => {
        // Asked again: a command whose process is never found could not be ended.
        log.debug({ err: error }, 'the engine did not say which process a command in a container is');
        return null;
      });
      if (state === null) {
        await sleep(LOOK_EVERY_MS, ended.signal);
        continue;
      }
      const { pid, exitCode } = state;
      const leader = pid === null ? null : await processRecord(pid);
      if (leader !== null) {
        command = { containerId, leader };
        // The engine takes no size before there is a process.
        resize();
        return await onProcess(command);
      }
      if (exitCode !== null) return;
      await sleep(LOOK_EVERY_MS, ended.signal);
    }
  }
  function resize(): void {
    if (terminal !== null) void inside.resize(terminal).catch(() => {});
  }

  const found = findProcess().catch((error: unknown) =>
    log.warn({ err: error }, 'the process of a command in a container could not be found'),
  );

  async function exitCode(): Promise<number> {
    for (;;) {
      const state = await inside.state();
      if (state.exitCode !== null) return state.exitCode;
      await sleep(LOOK_EVERY_MS, new AbortController().signal);
    }
  }

  async function read(): Promise<void> {
    for await (const { stream, bytes } of inside.output) await outbox.add(stream, bytes);
    const code = await exitCode();
    ended.abort();
    await outbox.finish({ kind: 'exit', exitCode: code });
  }

  async function end(): Promise<void> {
    await Promise.race([found, sleep(GRACE_MS, ended.signal)]);
    searching.abort();
    if (ended.signal.aborted) return inside.close();
    if (command === null) {
      log.warn({ containerId }, 'the process of a command in a container was not found; it may go on');
      return inside.close();
    }
    signalCommand(command, 'SIGTERM');
    await sleep(GRACE_MS, ended.signal);
    // Also what the command left behind: it was to end with all it began.
    signalCommand(command, 'SIGKILL');
    await sleep(GRACE_MS, ended.signal);
    inside.close();
  }

  const stop = () => (stopping ??= end());

  async function run(): Promise<void> {
    const reading = read().catch(async (error: unknown) => {
      if (stopping === null) log.warn({ err: error }, 'a command in a container was cut off');
      await stop();
      await outbox.finish({
        kind: 'failed',
        code: 'ENGINE_UNAVAILABLE',
        message: 'the connection to the command was cut; it was ended',
      });
    });
    try {
      await outbox.run();
    } catch (error) {
      log.info({ reason: String(error) }, 'nobody waits any more for a command in a container; it is ended');
    }
    if (!ended.signal.aborted) await stop();
    inside.close();
    await reading;
    await found;
  }

  return {
    take(say) {
      if (say.kind === 'resize') {
        terminal = say.terminal;
        resize();
      } else if (say.kind === 'stop') void stop();
      else {
        if (say.seq < nextInput) return 'taken';
        if (say.seq > nextInput || inputBytes > MAX_WAITING_INPUT_BYTES) return 'full';
        nextInput += 1;
        const bytes = say.kind === 'input' ? Buffer.from(say.base64, 'base64') : 'end';
        input.push(bytes);
        if (bytes !== 'end') inputBytes += bytes.length;
        void writeInput();
      }
      return 'taken';
    },
    stop,
    kill() {
      if (command !== null && !ended.signal.aborted) signalCommand(command, 'SIGKILL');
    },
    runs: () => !ended.signal.aborted,
    over: run(),
  };
}
