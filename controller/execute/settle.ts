/**
 * Settle: after an entry ended a deploy (or a checkpoint was appended), make every machine follow the log.
 *
 * Never undoes anything: a machine that does not answer in time is listed, follows the log by itself when it is back,
 * and is asked again later (`cleanup-pending`).
 */
import { isSlipwayError } from '../../schemas/errors.ts';
import type { DeployId, MachineName } from '../../schemas/names.ts';
import type { StepAction } from '../../schemas/step.ts';
import { type ExecutorDeps, runStep, type Session } from './session.ts';

/** How long a machine that does not answer is waited for. */
const SILENCE_MS = 15_000;

export type SettleStage = 'apply' | 'retire' | 'close';

/**
 * Runs the stages one after another, each on all machines at once.
 *
 * @returns machines that could not confirm some stage, in order
 */
export async function settle(
  deps: ExecutorDeps,
  session: Session,
  args: {
    readonly deploy: DeployId;
    readonly n: number;
    readonly machines: readonly MachineName[];
    readonly stages: readonly SettleStage[];
    readonly signal: AbortSignal;
  },
): Promise<MachineName[]> {
  const pending = new Set<MachineName>();
  for (const stage of args.stages) {
    await Promise.all(
      args.machines.map(async (machine) => {
        const action: StepAction = { verb: stage, n: args.n };
        try {
          await runStep(deps, session, {
            deploy: args.deploy,
            machine,
            id: `${stage}/${args.n}`,
            action,
            signal: args.signal,
            silenceMs: SILENCE_MS,
          });
        } catch (error) {
          args.signal.throwIfAborted();
          if (!isSlipwayError(error)) throw error;
          deps.log.warn({ err: error, machine, stage, n: args.n }, 'a machine did not follow the log yet');
          session.onProgress({ kind: 'cleanup', text: `${machine}: ${stage} of #${args.n}: ${error.message}` });
          pending.add(machine);
        }
      }),
    );
  }
  return [...pending].toSorted();
}
