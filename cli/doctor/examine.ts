/** Runs checks side by side, each with a time limit, so that nothing that hangs or breaks hides what the others found. */
import { type Finding, fail, reasonOf } from './finding.ts';

/** One topic. The signal aborts at the time limit. @throws what it did not expect, which becomes a finding */
export type Check<Deps> = (deps: Deps, signal: AbortSignal) => Promise<Finding[]>;

/** Findings in the order of the table. */
export async function examine<Deps>(args: {
  readonly checks: Readonly<Record<string, Check<Deps>>>;
  readonly deps: Deps;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}): Promise<Finding[]> {
  const { checks, deps, limitMs, signal } = args;
  const one = async ([name, check]: [string, Check<Deps>]): Promise<Finding[]> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    const late = new Promise<never>((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`no answer within ${limitMs / 1000} s`)), { once: true });
    });
    const work = check(deps, limit);
    // The loser of the race is not waited for, and its failure is nobody's business.
    work.catch(() => {});
    late.catch(() => {});
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      return [fail(name, reasonOf(error), '`slipway doctor --verbose` again; the logs of the state folder say more')];
    }
  };
  return (await Promise.all(Object.entries(checks).map(one))).flat();
}
