/**
 * Agents, as the executor sees them: a step is sent until it is done, failed or refused.
 *
 * A step is an idempotent "ensure", so a lost reply, an agent's restart and a second executor need no other answer
 * than sending the same signed bytes again.
 */
import { setMaxListeners } from 'node:events';
import { ERRORS, type ErrorCode, isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import { type SignedStep, type Step, StepEnded, StepReply } from '../../schemas/step.ts';
import type { Messages } from '../../store/port.ts';
import type { Clock } from './clock.ts';

export type StepDone = Extract<StepReply, { state: 'done' }>;

interface StepOptions {
  readonly signal: AbortSignal;
  /** Called with what the agent says it is doing, when that changes. */
  readonly onProgress?: (text: string) => void;
  /** How long an agent may be silent (restarting, cut off) before the step counts as failed. */
  readonly silenceMs?: number;
}

export interface Agents {
  /**
   * Makes the step true. @throws what the agent reports, with `details.evidence`; MACHINE_UNREACHABLE after
   * `silenceMs`; STEP_REFUSED with `details.refusal`.
   */
  run(step: Step, options: StepOptions): Promise<StepDone>;
}

/** An agent accepts at once; one that died with the step in its hands is not waited for. */
const REPLY_TIMEOUT_MS = 1_000;
/** Between two sends of a step that is under way; its end is announced, so this only matters when that was lost. */
const RESEND_MS = 1_000;
const UNREACHABLE_RETRY_MS = 200;

export function createAgents(deps: { messages: Messages; sign: (step: Step) => SignedStep; clock: Clock }): Agents {
  const { messages, sign, clock } = deps;

  async function send(step: Step, signed: SignedStep, options: StepOptions): Promise<StepReply> {
    const silenceMs = options.silenceMs ?? 30_000;
    const since = clock.now();
    for (;;) {
      options.signal.throwIfAborted();
      try {
        return StepReply.parse(await messages.request(['agent', step.machine, 'step'], signed, REPLY_TIMEOUT_MS));
      } catch (error) {
        if (!isSlipwayError(error, 'MACHINE_UNREACHABLE', 'STATE_UNAVAILABLE')) throw error;
        if (clock.now() - since >= silenceMs) throw error;
        await clock.sleep(UNREACHABLE_RETRY_MS, options.signal);
      }
    }
  }

  return {
    async run(step, options) {
      const signed = sign(step);
      const over = new AbortController();
      const signal = AbortSignal.any([options.signal, over.signal]);
      setMaxListeners(0, signal);
      let wake = () => {};
      messages.subscribe(
        ['progress', step.namespace],
        (payload) => {
          const ended = StepEnded.safeParse(payload);
          if (ended.success && ended.data.deploy === step.deploy && ended.data.id === step.id) wake();
        },
        signal,
      );
      try {
        let shown = '';
        for (;;) {
          const ended = new Promise<void>((resolve) => {
            wake = resolve;
          });
          const reply = await send(step, signed, options);
          if (reply.state === 'done') return reply;
          if (reply.state === 'failed') throw failure(step, reply);
          if (reply.state === 'refused') {
            throw new SlipwayError('STEP_REFUSED', `${step.machine} refused ${step.id}: ${reply.message}`, {
              refusal: reply.code,
            });
          }
          if (reply.progress !== shown) options.onProgress?.((shown = reply.progress));
          await Promise.race([ended, clock.sleep(RESEND_MS, signal)]);
        }
      } finally {
        over.abort();
      }
    },
  };
}

function failure(step: Step, reply: Extract<StepReply, { state: 'failed' }>): SlipwayError {
  const code: ErrorCode = reply.code in ERRORS ? (reply.code as ErrorCode) : 'STEP_FAILED';
  return new SlipwayError(code, reply.message, { evidence: reply.evidence, machine: step.machine, step: step.id });
}
