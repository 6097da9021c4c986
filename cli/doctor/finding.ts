/** What a check of `slipway doctor` finds, and the one who looks. */
import { SlipwayError } from '../../schemas/errors.ts';

/**
 * `ok`. `info`: as somebody wants it, and worth knowing. `skip`: could not be looked at, because of something that
 * another line tells. `warn`: works, but not well or not for long. `fail`: does not work.
 */
export type FindingState = 'ok' | 'info' | 'skip' | 'warn' | 'fail';

export interface Finding {
  readonly name: string;
  readonly state: FindingState;
  readonly detail: string;
  /** What to do about it, with the command; null: nothing. */
  readonly next: string | null;
}

export const ok = (name: string, detail: string): Finding => ({ name, state: 'ok', detail, next: null });
export const info = (name: string, detail: string, next: string | null = null): Finding => ({
  name,
  state: 'info',
  detail,
  next,
});
export const skip = (name: string, why: string): Finding => ({
  name,
  state: 'skip',
  detail: `not checked: ${why}`,
  next: null,
});
export const warn = (name: string, detail: string, next: string): Finding => ({ name, state: 'warn', detail, next });
export const fail = (name: string, detail: string, next: string): Finding => ({ name, state: 'fail', detail, next });

/** What an error says, for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof SlipwayError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
