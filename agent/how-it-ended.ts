/** How a container ended, in words. Pure. */
import type { ServiceTemplate } from '../schemas/service.ts';
import type { Seen } from './world.ts';

/** 128 and SIGKILL. */
const KILLED = 137;

/**
 * `it ended with exit code 3`. Docker learns of a kill for lack of memory beside the end itself, and may have written
 * the end down before: where there is a limit, a SIGKILL that nobody asked for is most likely one.
 */
export function howItEnded(
  { oomKilled, lastExitCode }: Pick<Seen, 'oomKilled' | 'lastExitCode'>,
  { memoryBytes }: Pick<ServiceTemplate, 'memoryBytes'>,
): string {
  if (oomKilled) return 'it was killed for lack of memory';
  const code = `it ended with exit code ${lastExitCode ?? 'unknown'}`;
  return lastExitCode === KILLED && memoryBytes !== null ? `${code}, most likely for lack of memory` : code;
}
