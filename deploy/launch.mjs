/** Runs a program in the foreground as if it were us: same terminal, same signals, same exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** @type {readonly NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** Ctrl-C reaches us from the terminal and, a moment later, again from npm: one press is one signal. */
const ONE_PRESS_MS = 500;

/**
 * The exit code of the program; 128 + number when a signal ended it.
 *
 * It gets a process group of its own, so the terminal's Ctrl-C reaches it through us alone, exactly once.
 *
 * @param {{ argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv }} program
 * @returns {Promise<number>}
 */
export async function launch({ argv: [file = '', ...args], cwd, env }) {
  const child = spawn(file, args, { cwd, env, stdio: 'inherit', detached: true });
  return await follow(child, (signal) => child.kill(signal));
}

/**
 * Like launch, for a program that must keep the terminal: sudo asks for a password there, gets the terminal's own
 * signals and passes on what it is sent.
 *
 * @param {{ argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv }} program
 * @returns {Promise<number>}
 */
export async function launchOnTerminal({ argv: [file = '', ...args], cwd, env }) {
  const child = spawn(file, args, { cwd, env, stdio: 'inherit' });
  const sharesTerminal = process.stdin.isTTY;
  return await follow(child, (signal) => {
    if (signal !== 'SIGINT' || !sharesTerminal) child.kill(signal);
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {(signal: NodeJS.Signals) => void} pass
 * @returns {Promise<number>}
 */
async function follow(child, pass) {
  /** @type {Map<NodeJS.Signals, number>} */
  const lastMs = new Map();
  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    const nowMs = performance.now();
    const isRepeated = nowMs - (lastMs.get(signal) ?? Number.NEGATIVE_INFINITY) < ONE_PRESS_MS;
    lastMs.set(signal, nowMs);
    if (!isRepeated) pass(signal);
  };
  for (const signal of FORWARDED) process.on(signal, onSignal);
  try {
    return await new Promise((resolve, reject) => {
      // Also emitted for a signal that could not be sent; only a program that never started ends us.
      child.on('error', (error) => {
        if (child.pid === undefined) reject(error);
      });
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, onSignal);
  }
}
