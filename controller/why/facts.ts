/** Everything that is known of one service when somebody asks why it is not what git says: read once, then only looked at. */
import type { Pending } from '../../schemas/consent.ts';
import type { Deploy, NamespaceRecord } from '../../schemas/deploy.ts';
import type { FieldChange } from '../../schemas/plan.ts';
import type { DependencyCondition } from '../../schemas/service.ts';
import type { Evidence } from '../../schemas/step.ts';
import type { Frozen } from '../consent/frozen.ts';
import type { Quarantined } from '../plan/quarantine.ts';
import type { SlotView } from '../slots.ts';
import type { SourceReport } from '../source-report.ts';

/** What the live release says of the service; since which release it has said the same. */
export interface LiveFacts {
  readonly n: number;
  readonly revision: string | null;
  readonly managedBy: string;
  /** null: the live release does not have the service. */
  readonly service: {
    readonly since: number;
    readonly at: string;
    readonly by: string;
    readonly job: boolean;
    /** How the job of this template ended; null: it has not run to its end. */
    readonly jobEnd: { readonly exitCode: number; readonly at: string } | null;
  } | null;
}

/** Whether the live release has the service. */
export function isLive(live: LiveFacts | null): boolean {
  return live !== null && live.service !== null;
}

/** What the tracked branch says now, compared with what is live. */
export type GitFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'invalid'; readonly revision: string; readonly problems: readonly string[] }
  /** `same`: also when both do not have it. `new`: only git has it. `gone`: only what is live has it. */
  | {
      readonly kind: 'same' | 'differs' | 'new' | 'gone' | 'elsewhere';
      readonly revision: string;
      readonly desiredDigest: string | null;
      readonly fields: readonly FieldChange[];
    };

/** A deploy that failed, as far as it is about this service. */
export interface FailureFacts {
  readonly deploy: string;
  readonly at: string;
  readonly by: string;
  readonly code: string;
  readonly message: string;
  /** Of this service's instances; else of those that made the deploy fail. */
  readonly evidence: readonly Evidence[];
}

export interface DependencyFacts {
  readonly service: string;
  readonly condition: DependencyCondition;
  readonly met: boolean;
  /** What it is instead. */
  readonly state: string;
}

export interface DriftFacts {
  readonly at: string;
  readonly slot: string;
  readonly what: string;
}

export interface WhyFacts {
  readonly at: string;
  readonly namespace: string;
  readonly service: string;
  /** null: nothing is live in the namespace. */
  readonly live: LiveFacts | null;
  readonly git: GitFacts;
  readonly record: NamespaceRecord;
  /** Deploys of the namespace that are not over, oldest first. */
  readonly open: readonly Deploy[];
  readonly leaseHolder: string | null;
  /** The attempt that left things as they are: none when a release came after it. */
  readonly failure: FailureFacts | null;
  /** Who leads; null: no controller runs. */
  readonly controller: string | null;
  readonly source: SourceReport | null;
  readonly slots: readonly SlotView[];
  readonly dependencies: readonly DependencyFacts[];
  /** What was healed lately, newest last. */
  readonly drift: readonly DriftFacts[];
  /** The freeze that keeps the namespace as it is; null: none. */
  readonly frozen: Frozen | null;
  /** Plans over what is live that wait for somebody to say yes, newest first. */
  readonly pending: readonly Pending[];
  /** What a rollback took away of the service; it comes back only with consent. */
  readonly quarantined: readonly Quarantined[];
}
