/** A plan as the `data` of the JSON envelope: stable names, whatever the records in between come to look like. */
import { hasChanges, type Plan } from '../../schemas/plan.ts';

/** What `slipway plan --json` prints as its data. */
export interface PlanJson extends Plan {
  readonly hasChanges: boolean;
  /** Changes by kind. */
  readonly summary: {
    readonly create: number;
    readonly update: number;
    readonly remove: number;
    readonly unchanged: number;
  };
}

/** The plan with what scripts ask first; plain data, to be serialised by the envelope. */
export function renderJson(plan: Plan): PlanJson {
  const count = (kind: keyof PlanJson['summary']) => plan.changes.filter((it) => it.kind === kind).length;
  return {
    ...plan,
    hasChanges: hasChanges(plan),
    summary: {
      create: count('create'),
      update: count('update'),
      remove: count('remove'),
      unchanged: count('unchanged'),
    },
  };
}
