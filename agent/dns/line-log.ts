/** A logger of one JSON line an entry, without a library: the resolver starts fast and stays small. */
import type { Logger } from '../../schemas/logger.ts';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/** Writes pino's shape (`level`, `time`, `msg`); entries of level debug are left out. */
export function createLineLog(write: (line: string) => void, now: () => number = Date.now): Logger {
  const at = (level: keyof typeof LEVELS) => (fields: object, message: string) =>
    write(`${JSON.stringify({ level: LEVELS[level], time: now(), ...plain(fields), msg: message })}\n`);
  return { debug() {}, info: at('info'), warn: at('warn'), error: at('error') };
}

/** Errors have no own enumerable fields. */
function plain(fields: object): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? value.message : value]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}
