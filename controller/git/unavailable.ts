/** Failures of reading a repository, as one kind of error whose message is safe to show. */
import { SlipwayError } from '../../schemas/errors.ts';

/** SOURCE_UNAVAILABLE with the reason; what was really thrown stays in `cause`. */
export function unavailable(why: string, cause?: unknown): SlipwayError {
  return new SlipwayError('SOURCE_UNAVAILABLE', why, {}, cause);
}

/**
 * Runs with a signal of its own that aborts with the outer one or after `timeoutMs`, and does not wait for work that
 * ignores it. @throws SOURCE_UNAVAILABLE when the time is up, the outer signal's reason when that aborted.
 */
export async function withDeadline<T>(
  args: { signal: AbortSignal; timeoutMs: number; late: string },
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  args.signal.throwIfAborted();
  const own = new AbortController();
  const onAbort = () => own.abort(args.signal.reason);
  args.signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => own.abort(unavailable(args.late)), args.timeoutMs);
  try {
    const ended = new Promise<never>((_, reject) => {
      own.signal.addEventListener('abort', () => reject(own.signal.reason as Error), { once: true });
    });
    return await Promise.race([run(own.signal), ended]);
  } catch (error) {
    throw own.signal.aborted ? own.signal.reason : error;
  } finally {
    clearTimeout(timer);
    args.signal.removeEventListener('abort', onAbort);
  }
}

/** The message for a branch that is missing, with the ones that are there. */
export function noSuchBranch(name: string, branch: string, others: readonly string[]): string {
  const there = others.length === 0 ? 'the repository has no commits yet' : `it has: ${others.join(', ')}`;
  return `${name} has no branch "${branch}" (${there})`;
}
