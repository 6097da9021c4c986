/** Small log entries for tests of the store. */
import { LogEntry } from '../../../schemas/release.ts';
import { deployId } from '../../builders/release.ts';

/** A void entry of the number's own deploy. */
export function voided(namespace: string, n: number, overrides: Record<string, unknown> = {}): LogEntry {
  const base = { namespace, n, at: '2026-01-01T00:00:00.000Z', actor: 'loop', kind: 'void', deploy: deployId(n % 32) };
  return LogEntry.parse({ ...base, reason: 'because', ...overrides });
}
