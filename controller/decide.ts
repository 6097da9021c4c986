/**
 * What the loop does about a namespace. Pure: it acts on a changed desired digest, or on new versions of the secrets that
 * it names, not on desired ≠ released.
 */

import type { NamespaceRecord } from '../schemas/deploy.ts';
import { ERRORS, type ErrorCode } from '../schemas/errors.ts';
import type { Digest } from '../schemas/names.ts';
import type { ManagedBy } from '../schemas/release.ts';

export type Decision =
  | { readonly act: 'nothing'; readonly why: 'unchanged' | 'held' | 'failed' }
  /** Look again at `atMs` (milliseconds since the epoch). */
  | { readonly act: 'later'; readonly atMs: number }
  | { readonly act: 'deploy' };

/**
 * @param desired digest of what git says now, `removed` when git no longer has the namespace
 * @param secrets stands for the newest versions of the secrets that it names; null: none
 * @param agreed what the failed digest waited for was given
 */
export function decide(
  record: NamespaceRecord,
  desired: Digest,
  nowMs: number,
  secrets: Digest | null,
  agreed = false,
): Decision {
  const { held, failed } = record;
  if (held !== null && (held.desiredDigest === null || held.desiredDigest === desired))
    return { act: 'nothing', why: 'held' };
  if (failed !== null && failed.desiredDigest === desired && (failed.secrets ?? null) === secrets) {
    if (awaitsAgreement(record, desired) && agreed) return { act: 'deploy' };
    if (failed.retryAt === null) return { act: 'nothing', why: 'failed' };
    const atMs = Date.parse(failed.retryAt);
    return atMs > nowMs ? { act: 'later', atMs } : { act: 'deploy' };
  }
  const carriedOut = record.carriedOut === desired && (record.secrets ?? null) === secrets;
  if (carriedOut && held === null) return { act: 'nothing', why: 'unchanged' };
  return { act: 'deploy' };
}

/** Whether this digest failed for want of a consent or an approval, so that one would change what is done about it. */
export function awaitsAgreement({ failed }: NamespaceRecord, desired: Digest): boolean {
  const waiting: readonly string[] = ['CONSENT_NEEDED', 'APPROVAL_NEEDED'] satisfies ErrorCode[];
  return failed !== null && failed.desiredDigest === desired && waiting.includes(failed.code);
}

const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MOST_MS = 300_000;
const WAIT_MS = 10_000;

/** When a failed digest is tried again; null: not before it changes or somebody asks. `attempts` counts from 1. */
export function retryAtMs(code: string, attempts: number, nowMs: number, managedBy: ManagedBy = 'git'): number | null {
  // The image of a pull request is on its way: whatever builds it is not done yet.
  const awaited = managedBy === 'preview' && code === 'IMAGE_NOT_FOUND';
  const retry = awaited ? 'wait' : code in ERRORS ? ERRORS[code as ErrorCode].retry : 'operator';
  if (retry === 'backoff') return nowMs + Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (attempts - 1));
  return retry === 'wait' ? nowMs + WAIT_MS : null;
}

/** A newer revision may interrupt a deploy this often in a row; then the next one is carried out to its end. */
const MOST_SUPERSEDED = 2;

/** Whether a newer desired digest may interrupt the deploy under way. What somebody approved is carried out. */
export function maySupersede(args: {
  readonly supersededInARow: number;
  readonly jobRunning: boolean;
  readonly approved: boolean;
}): boolean {
  return !args.jobRunning && !args.approved && args.supersededInARow < MOST_SUPERSEDED;
}
