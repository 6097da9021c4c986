/** What a step handler is: it makes one kind of step true, again and again with the same outcome. */
import type { Step, StepAction, StepVerb } from '../../schemas/step.ts';

export interface StepContext {
  readonly namespace: string;
  readonly deploy: string;
  readonly id: string;
  /** Aborts when the deploy is closed or the agent ends. */
  readonly signal: AbortSignal;
  /** What it is doing now, for people. */
  readonly progress: (text: string) => void;
}

export interface StepOutcome {
  readonly exitCode?: number;
  readonly drained?: number;
}

/** @throws SlipwayError with `details.evidence` where there is some. */
export type Handler<V extends StepVerb> = (
  action: Extract<StepAction, { verb: V }>,
  context: StepContext,
) => Promise<StepOutcome>;

/** One handler a verb. */
export type Handlers = { readonly [V in StepVerb]: Handler<V> };

/** Calls the handler of the step's verb. */
export async function handle(handlers: Handlers, step: Step, context: StepContext): Promise<StepOutcome> {
  // Each handler takes exactly the action of its own verb, which the compiler cannot follow through the lookup.
  const handler = handlers[step.action.verb] as Handler<StepVerb>;
  return await handler(step.action, context);
}
