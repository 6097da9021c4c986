/** Steps under way and their results, by deploy: the same step sent again attaches to what runs, or gets its result. */
import type { StepReply, StepVerb } from '../../schemas/step.ts';

/** Results that are remembered; an older step is simply carried out again. */
const MAX_RESULTS = 5000;

/** Work that only the log can end: closing a deploy does not stop it. */
export const FOLLOWS_LOG = {
  pull: false,
  volume: false,
  job: false,
  start: false,
  swap: false,
  apply: true,
  retire: true,
  close: true,
  destroy: true,
} as const satisfies Record<StepVerb, boolean>;

/** How a step ended. */
export type Ended = Exclude<StepReply, { state: 'accepted' }>;

interface RunningStep {
  readonly namespace: string;
  readonly deploy: string;
  readonly verb: StepVerb;
  progress: string;
  result: Ended | null;
}

export interface RunningSteps {
  get(key: string): RunningStep | undefined;
  /** Begins the work, unless it runs. Its result is kept. */
  begin(
    key: string,
    step: Pick<RunningStep, 'namespace' | 'deploy' | 'verb'>,
    work: (signal: AbortSignal, progress: (text: string) => void) => Promise<Ended>,
    onEnd: () => void,
  ): RunningStep;
  /** The result is not asked for any more: the step may run again. */
  forget(key: string): void;
  /** Work of the deploy that does not follow the log is told to stop, and has stopped. */
  abort(namespace: string, deploy: string): Promise<void>;
}

export function createRunningSteps({ lifetime }: { lifetime: AbortSignal }): RunningSteps {
  const steps = new Map<string, RunningStep>();
  const active = new Map<string, { step: RunningStep; stop: AbortController; ended: Promise<void> }>();

  function trim(): void {
    for (const [key, it] of steps) {
      if (steps.size <= MAX_RESULTS) return;
      if (it.result !== null) steps.delete(key);
    }
  }

  return {
    get: (key) => steps.get(key),
    begin(key, { namespace, deploy, verb }, work, onEnd) {
      const step: RunningStep = { namespace, deploy, verb, progress: 'begun', result: null };
      const stop = new AbortController();
      const say = (text: string) => {
        step.progress = text;
      };
      const ended = work(AbortSignal.any([lifetime, stop.signal]), say).then((result) => {
        step.result = result;
        active.delete(key);
        trim();
        onEnd();
      });
      steps.set(key, step);
      active.set(key, { step, stop, ended });
      return step;
    },
    forget: (key) => {
      if (!active.has(key)) steps.delete(key);
    },
    async abort(namespace, deploy) {
      const found = [...active.values()].filter(
        ({ step: it }) => it.namespace === namespace && it.deploy === deploy && !FOLLOWS_LOG[it.verb],
      );
      for (const it of found) it.stop.abort(new DeployClosed());
      await Promise.all(found.map((it) => it.ended));
    },
  };
}

/** Why a step of a deploy that was closed meanwhile ended. */
export class DeployClosed extends Error {
  override readonly name = 'DeployClosed';
}
