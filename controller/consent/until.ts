/** Until when: a moment or a duration, as a person gives it → ISO 8601, UTC. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';
import { Duration } from '../../schemas/manifest-values.ts';
import { durationMs } from '../manifest/quantities.ts';

const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** `2h` → two hours from now; `2026-01-31T18:00Z` → that. Without a zone: the machine's. @throws USAGE */
export function untilOf(text: string, nowMs: number): string {
  const atMs = Duration.safeParse(text).success ? nowMs + durationMs(text) : MOMENT.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(atMs))
    throw new SlipwayError('USAGE', `--until ${text} is neither a moment (2026-01-31T18:00Z) nor a duration (2h, 1d)`);
  if (atMs <= nowMs) throw new SlipwayError('USAGE', `--until ${text} is in the past: it would freeze nothing`);
  return new Date(atMs).toISOString();
}
