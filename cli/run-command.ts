/** Runs one command: its context, its signal, its failure. */
import { setMaxListeners } from 'node:events';
import type { Command } from 'commander';
import type { StatePaths } from '../schemas/installation.ts';
import { createOutput, type Output, reportFailure } from './output.ts';
import { pathsOf } from './state-dir.ts';

export interface CommandContext {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly output: Output;
  readonly paths: StatePaths;
  /** Aborts on Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
  readonly verbose: boolean;
}

/** Why a command's signal aborted when nobody reads its output. */
export const NOBODY_READS = 'nobody reads';

/** Commands that go on until nobody reads any more. */
const ONLY_SHOW = new Set(['events', 'logs', 'exec', 'stats']);

/** @returns the exit code */
export async function runCommand(
  command: Command,
  action: (context: CommandContext) => Promise<number>,
): Promise<number> {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const name = nameOf(command);
  const json = options['json'] === true;
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  let interrupted = false;
  const onSignal = () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    stop.abort('interrupted');
  };
  // Whoever read is gone (`| head`): what changes something goes on without them.
  const onClosed = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (ONLY_SHOW.has(name)) stop.abort(NOBODY_READS);
  };
  process.stdout.on('error', onClosed);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const stateDir = options['stateDir'];
  try {
    return await action({
      args: command.processedArgs.flat().filter((it): it is string => typeof it === 'string'),
      options,
      output: createOutput({ command: name, json }),
      paths: pathsOf(typeof stateDir === 'string' ? { stateDir } : {}),
      signal: stop.signal,
      verbose: options['verbose'] === true,
    });
  } catch (error) {
    if (stop.signal.aborted && error instanceof Error && error.name === 'AbortError') return 130;
    return reportFailure(error, { command: name, json, verbose: options['verbose'] === true });
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function nameOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${nameOf(parent)} ${command.name()}`;
}

/** An option that commander made a string of, or undefined. */
export function textOption(context: Pick<CommandContext, 'options'>, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** An option that was parsed to a number, or undefined. */
export function numberOption(context: Pick<CommandContext, 'options'>, name: string): number | undefined {
  const value = context.options[name];
  return typeof value === 'number' ? value : undefined;
}

/** An option that may be given several times, in order. */
export function listOption(context: Pick<CommandContext, 'options'>, name: string): string[] {
  const value = context.options[name];
  return Array.isArray(value) ? value.filter((it): it is string => typeof it === 'string') : [];
}
