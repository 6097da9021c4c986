/** Whether a freeze holds now. Pure, and closed where in doubt: what cannot be read is frozen. */
import { Freeze } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';

/** A freeze that holds. `until` null: until somebody lifts it. `readable` false: the record says nothing that makes sense. */
export interface Frozen {
  readonly scope: string;
  readonly by: string;
  readonly why: string;
  readonly until: string | null;
  readonly readable: boolean;
}

/** What a stored freeze means now; null: it is over. */
export function frozenNow(scope: string, value: unknown, nowMs: number): Frozen | null {
  const freeze = Freeze.safeParse(value);
  if (!freeze.success) return unreadable(scope, 'its record cannot be read');
  const { by, why, until } = freeze.data;
  if (until !== null && Date.parse(until) <= nowMs) return null;
  return { scope, by, why, until, readable: true };
}

/** Frozen because nobody can say whether it is. */
export function unreadable(scope: string, why: string): Frozen {
  return { scope, by: 'nobody knows', why, until: null, readable: false };
}

/** One sentence on a freeze. */
export function frozenText({ scope, by, why, until, readable }: Frozen): string {
  const what = scope === '*' ? 'Everything is' : `${scope} is`;
  if (!readable) return `${what} taken for frozen: ${why}`;
  return `${what} frozen by ${by}${until === null ? '' : ` until ${until}`}: ${why}`;
}

/** The command that ends a freeze. */
export function thawCommand({ scope }: Frozen): string {
  return `slipway unfreeze ${scope === '*' ? '--all' : scope}`;
}

/** What a deploy of a frozen namespace ends with. */
export function frozenError(frozen: Frozen): SlipwayError {
  return new SlipwayError('FROZEN', `${frozenText(frozen)}; \`${thawCommand(frozen)}\` ends that`, { ...frozen });
}

/** More than a timer of Node can wait is waited for in parts. */
const LONGEST_WAIT_MS = 3_600_000;
const UNREADABLE_MS = 5_000;

/** When the loop looks again; null: somebody has to lift it, and that is heard of. */
export function thawAtMs({ until, readable }: Frozen, nowMs: number): number | null {
  if (!readable) return nowMs + UNREADABLE_MS;
  return until === null ? null : Math.min(Date.parse(until), nowMs + LONGEST_WAIT_MS);
}
