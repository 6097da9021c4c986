/** The door for steps: signature, addressee, fence, closed deploys; then the same step attaches or a new one begins. */
import { canonicalJson } from '../../schemas/canonical.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { SignedStep, type Step, type StepEnded, type StepReply } from '../../schemas/step.ts';
import type { Messages } from '../../store/port.ts';
import type { TracePoint } from '../../store/trace.ts';
import type { Journal } from '../journal.ts';
import { evidenceOf } from '../swaps.ts';
import { type Handlers, handle } from './handler.ts';
import { DeployClosed, type Ended, FOLLOWS_LOG, type RunningSteps } from './running.ts';

/** The step that the signature covers. @throws UNTRUSTED. */
export type VerifyStep = (signed: SignedStep) => Step | Promise<Step>;

export interface StepServerDeps {
  readonly messages: Pick<Messages, 'serve' | 'publish'>;
  readonly verify: VerifyStep;
  readonly installation: string;
  readonly machine: string;
  readonly journal: Journal;
  readonly running: RunningSteps;
  readonly handlers: Handlers;
  /** Whether what a finished start or swap made true still is; if not, it is carried out again. */
  readonly stillHolds: (step: Step) => boolean;
  readonly log: Logger;
  readonly trace: TracePoint;
}

type Refusal = Extract<StepReply, { state: 'refused' }>;
/** A finished step may be asked for its result within this time after it began, without another round. */
const QUICK_MS = 40;

export interface StepServer {
  answer(payload: unknown): Promise<StepReply>;
  serve(signal: AbortSignal): void;
}

export function createStepServer(deps: StepServerDeps): StepServer {
  const { messages, verify, installation, machine, journal, running, handlers, log, trace } = deps;

  async function opened(payload: unknown): Promise<Step | Refusal> {
    const signed = SignedStep.safeParse(payload);
    if (!signed.success) return refused('UNTRUSTED', 'not a signed step');
    try {
      return await verify(signed.data);
    } catch (error) {
      if (!isSlipwayError(error, 'UNTRUSTED')) throw error;
      log.warn({ keyId: signed.data.keyId }, `a step was refused: ${error.message}`);
      return refused('UNTRUSTED', error.message);
    }
  }

  async function refusal(step: Step): Promise<Refusal | null> {
    const { namespace, deploy, action } = step;
    if (step.installation !== installation || step.machine !== machine)
      return refused('NOT_MINE', `this is machine ${machine} of installation ${installation}`);
    if (!(await journal.raiseFence(namespace, step.fence)))
      return refused('FENCED', `a newer executor works on ${namespace}`);
    if (journal.view(namespace).closed.includes(deploy) && !FOLLOWS_LOG[action.verb])
      return refused('CLOSED', `deploy ${deploy} is over`);
    return null;
  }

  async function carriedOut(step: Step, signal: AbortSignal, progress: (text: string) => void): Promise<Ended> {
    const { namespace, deploy, id, action } = step;
    trace(`step.${action.verb}.begin`);
    try {
      const { exitCode, drained } = await handle(handlers, step, { namespace, deploy, id, signal, progress });
      return { state: 'done', exitCode: exitCode ?? null, drained: drained ?? null };
    } catch (error) {
      if (signal.aborted && signal.reason instanceof DeployClosed)
        return refused('CLOSED', `deploy ${deploy} was ended while the step ran`);
      if (isSlipwayError(error)) {
        log.warn({ err: error, namespace, deploy, step: id }, 'step failed');
        return { state: 'failed', code: error.code, message: error.message, evidence: evidenceOf(error) };
      }
      if (!signal.aborted) log.error({ err: error, namespace, deploy, step: id }, 'step failed for a bug');
      const message = 'the agent failed for an internal error; its log says more';
      return { state: 'failed', code: 'STEP_FAILED', message, evidence: [] };
    } finally {
      trace(`step.${action.verb}.end`);
    }
  }

  function begin(key: string, step: Step) {
    const { namespace, deploy, id, action } = step;
    const ended = { deploy, id, machine } satisfies StepEnded;
    let onEnd = () => {};
    const over = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const it = running.begin(
      key,
      { namespace, deploy, verb: action.verb },
      (signal, progress) => carriedOut(step, signal, progress),
      () => {
        onEnd();
        messages.publish(['progress', namespace], ended);
      },
    );
    return { it, over };
  }

  async function answer(payload: unknown): Promise<StepReply> {
    const step = await opened(payload);
    if ('state' in step) return step;
    const no = await refusal(step);
    if (no !== null) return no;
    const key = `${step.namespace}/${step.deploy}/${step.id}/${canonicalJson(step.action)}`;
    const known = running.get(key);
    if (known?.result?.state === 'done' && !deps.stillHolds(step)) running.forget(key);
    const attached = running.get(key);
    if (attached === undefined) {
      const { it, over } = begin(key, step);
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, QUICK_MS))]);
      if (it.result === null) trace('step.reply.accepted');
      return reply(key, it);
    }
    return reply(key, attached);
  }

  function reply(key: string, it: NonNullable<ReturnType<RunningSteps['get']>>): StepReply {
    if (it.result === null) return { state: 'accepted', progress: it.progress };
    // After the commit point a failure is not an end: whoever asks again means "try again".
    if (it.result.state === 'failed' && FOLLOWS_LOG[it.verb]) running.forget(key);
    return it.result;
  }

  return {
    answer,
    serve(signal) {
      messages.serve(
        ['agent', machine, 'step'],
        async (payload) => {
          const it = await answer(payload);
          // How often a running step is asked for depends on time alone: only replies that tell something are points.
          if (it.state !== 'accepted') trace(`step.reply.${it.state}`);
          return it;
        },
        signal,
      );
    },
  };
}

function refused(code: Refusal['code'], message: string): Refusal {
  return { state: 'refused', code, message };
}
