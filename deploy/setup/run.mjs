/** Runs one command of setup: a line when it starts, a line when it ended, its output only when it failed. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';

/** How long another package manager may keep us waiting, and how often we look. */
const LOCK = { timeoutMs: 600_000, intervalMs: 5_000 };
/** How often a command that takes long says that it is still at it. */
const STILL_MS = 15_000;
const LAST_LINES = 25;

/** apt has one exit code for everything (100), so its words, in LC_ALL=C.UTF-8, are all there is. */
const LOCKED = /Could not get lock|Unable to (?:acquire|lock)/;
const OFFLINE =
  /Temporary failure resolving|Could not resolve|Could not connect|Network is unreachable|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/;

/**
 * What the output of a failed command means for the person in front of it.
 *
 * @param {string} output
 * @returns {'locked' | 'offline' | 'unknown'}
 */
export function causeOf(output) {
  if (LOCKED.test(output)) return 'locked';
  return OFFLINE.test(output) ? 'offline' : 'unknown';
}

/**
 * Returns when the command succeeded, after waiting for the locks of other package managers; otherwise a SetupFailure
 * that quotes its last lines.
 *
 * @param {{ argv: readonly string[], shown: string, cwd: string, say: (line: string) => void, signal: AbortSignal }} job
 */
export async function runToEnd({ argv, shown, cwd, say, signal }) {
  say(`→ ${shown}`);
  const start = performance.now();
  for (;;) {
    const { exitCode, output } = await capture({ argv, cwd, signal, say });
    const elapsedMs = performance.now() - start;
    if (exitCode === 0) {
      say(`  done in ${seconds(elapsedMs)}`);
      return;
    }
    signal.throwIfAborted();
    const cause = causeOf(output);
    if (cause !== 'locked' || elapsedMs > LOCK.timeoutMs) throw failure(shown, output, cause);
    say(`  another package manager is at work; waiting for it (${seconds(elapsedMs)})`);
    await sleep(LOCK.intervalMs, undefined, { signal });
  }
}

/** @param {string} shown @param {string} output @param {ReturnType<typeof causeOf>} cause */
function failure(shown, output, cause) {
  const hints = {
    locked: 'Another package manager holds its lock for ten minutes. Let it end (or end it), then run this again.',
    offline: 'The package server does not answer. Is this machine online, and are its proxy settings right?',
    unknown: 'Run the command by hand to see more, then run this again: what is done stays done.',
  };
  const quoted = output
    .trimEnd()
    .split('\n')
    .slice(-LAST_LINES)
    .map((it) => `  | ${it}`);
  return new SetupFailure([`this failed: ${shown}`, ...quoted].join('\n'), { hint: hints[cause] });
}

/**
 * @param {{ argv: readonly string[], cwd: string, signal: AbortSignal, say: (line: string) => void }} job
 * @returns {Promise<{ exitCode: number | null, output: string }>}
 */
export async function capture({ argv: [program = '', ...args], cwd, signal, say }) {
  const child = spawn(program, args, { cwd, signal, stdio: ['inherit', 'pipe', 'pipe'] });
  let output = '';
  /** @param {Buffer} bytes */
  const keep = (bytes) => {
    output = (output + bytes.toString()).slice(-65_536);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const start = performance.now();
  const still = setInterval(() => say(`  … ${seconds(performance.now() - start)}`), STILL_MS);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => {
        if (signal.aborted) reject(error);
        else resolve({ exitCode: null, output: `${program}: ${error.message}` });
      });
      child.once('close', (exitCode) => resolve({ exitCode, output }));
    });
  } finally {
    clearInterval(still);
  }
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
