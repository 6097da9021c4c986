/**
 * Trace points: the boundaries at which a process may be killed. For the kill test; without SLIPWAY_TRACE and
 * SLIPWAY_KILL_AT in the environment every point is a no-op.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/** Marks that the process has reached a point; may not return. */
export type TracePoint = (point: string) => void;

export interface TraceDeps {
  /** SLIPWAY_TRACE: file to append to. SLIPWAY_KILL_AT: `<substring of a point>#<k>`, the k-th match ends the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid?: number;
  readonly kill?: () => void;
}

/** Appends `{pid, seq, point}` as one line at each point, and kills the process with SIGKILL where it is asked to. */
export function createTrace({ env, pid = process.pid, kill = killSelf }: TraceDeps): TracePoint {
  const file = env['SLIPWAY_TRACE'];
  const target = killTarget(env['SLIPWAY_KILL_AT']);
  if (file === undefined && target === null) return () => {};
  let seq = 0;
  let matches = 0;
  return (point) => {
    seq += 1;
    if (file !== undefined) appendLine(file, JSON.stringify({ pid, seq, point }));
    if (target !== null && point.includes(target.part) && ++matches === target.k) kill();
  };
}

function killTarget(text: string | undefined): { part: string; k: number } | null {
  if (text === undefined) return null;
  const hash = text.lastIndexOf('#');
  const k = Number(text.slice(hash + 1));
  if (hash < 1 || !Number.isInteger(k) || k < 1)
    throw new Error(`SLIPWAY_KILL_AT wants <part of a point>#<k>: ${text}`);
  return { part: text.slice(0, hash), k };
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

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
}
