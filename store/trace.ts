/**
 * Trace points: the boundaries at which a process may be killed. For the kill test; without SLIPWAY_TRACE,
 * SLIPWAY_KILL_AT and SLIPWAY_KILL_FILE in the environment every point is a no-op.
 */
import { closeSync, fsyncSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';

/** Marks that the process has reached a point; may not return. */
export type TracePoint = (point: string) => void;

export interface TraceDeps {
  /**
   * SLIPWAY_TRACE: file to append to. SLIPWAY_KILL_AT: `<substring of a point>#<k>`, the k-th match ends the process;
   * with a `!` in front the process is stopped (SIGSTOP) instead. SLIPWAY_KILL_FILE: a file that may hold such a text,
   * read at each point, counted from when it was first seen, and removed before it takes effect.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid?: number;
  readonly signal?: (name: 'SIGKILL' | 'SIGSTOP') => void;
}

/** Appends `{pid, seq, point}` as one line at each point, and kills or stops the process where it is asked to. */
export function createTrace({ env, pid = process.pid, signal = signalSelf }: TraceDeps): TracePoint {
  const file = env['SLIPWAY_TRACE'];
  const orders = env['SLIPWAY_KILL_FILE'];
  let text = env['SLIPWAY_KILL_AT'];
  let target = parseTarget(text);
  if (file === undefined && target === null && orders === undefined) return () => {};
  let seq = 0;
  let matches = 0;
  return (point) => {
    seq += 1;
    if (file !== undefined) appendLine(file, JSON.stringify({ pid, seq, point }));
    if (orders !== undefined) {
      const now = readOrders(orders);
      if (now !== text) {
        text = now;
        target = parseTarget(now);
        matches = 0;
      }
    }
    if (target === null || !point.includes(target.part) || ++matches !== target.k) return;
    if (orders !== undefined) unlinkSync(orders);
    signal(target.signal);
  };
}

interface Target {
  readonly part: string;
  readonly k: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

function parseTarget(text: string | undefined): Target | null {
  if (text === undefined || text === '') return null;
  const hash = text.lastIndexOf('#');
  const stop = text.startsWith('!');
  const part = text.slice(stop ? 1 : 0, hash);
  const k = Number(text.slice(hash + 1));
  if (part === '' || hash < 1 || !Number.isInteger(k) || k < 1) {
    throw new Error(`SLIPWAY_KILL_AT wants <part of a point>#<k>: ${text}`);
  }
  return { part, k, signal: stop ? 'SIGSTOP' : 'SIGKILL' };
}

function readOrders(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function appendLine(file: string, line: string): void {
  const fd = openSync(file, 'a');
  try {
    writeSync(fd, `${line}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function signalSelf(name: 'SIGKILL' | 'SIGSTOP'): void {
  process.kill(process.pid, name);
}
