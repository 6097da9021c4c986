/** Everything that a plan comment says, as data. `render.ts` makes Markdown of it and of nothing else. */
import type { AgreementKind } from '../../schemas/consent.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import type { CommandResult, PullNumber, ShownPlan } from '../../schemas/forge.ts';
import type { Digest, NamespaceName, Revision } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Problem } from '../../schemas/problem.ts';
import type { PlanFailure } from '../plan/input.ts';

/** How a preview is, for people. */
export interface PreviewView {
  readonly namespace: NamespaceName;
  readonly state: 'starting' | 'waiting-for-image' | 'running' | 'failed' | 'removing' | 'removed' | 'refused';
  /** Where it answers, by service; empty until it runs. */
  readonly urls: readonly { readonly service: string; readonly url: string }[];
  /** Why it is as it is: what it waits for, what failed, why there is none, what the teardown proof found. */
  readonly message: string;
  /** `staging@41`; null: not forked yet. */
  readonly forkedFrom: string | null;
  readonly release: number | null;
  readonly expiresAt: string | null;
}

export interface CommentModel {
  readonly installation: string;
  readonly namespace: NamespaceName;
  readonly pull: PullNumber;
  readonly head: Revision;
  readonly base: Revision;
  readonly baseBranch: string;
  /** What was found out, in the order in which one excludes the others. */
  readonly outcome:
    | { readonly kind: 'conflict'; readonly files: readonly string[] }
    /** The merge result cannot be told: several merge bases, no common history. */
    | { readonly kind: 'unclear'; readonly why: string }
    | { readonly kind: 'invalid' }
    /** Git cannot be read, no agent answers, …: nothing is known, and it is tried again. */
    | { readonly kind: 'unavailable'; readonly why: string }
    | { readonly kind: 'refused'; readonly failures: readonly PlanFailure[] }
    | { readonly kind: 'planned'; readonly plan: Plan };
  /** Of the merge result: of this namespace's files, and of slipway.toml. */
  readonly problems: readonly Problem[];
  /** What is live now; null: nothing. */
  readonly live: { readonly n: number; readonly at: string; readonly revision: Revision | null } | null;
  /** Agreements that the plan needs and nobody gave, and those given. */
  readonly missing: readonly AgreementKind[];
  readonly given: readonly { readonly kind: AgreementKind; readonly by: string }[];
  /** Why it will not be carried out by itself: a freeze, a hold, changes asked for; as sentences. */
  readonly obstacles: readonly string[];
  readonly preview: PreviewView | null;
  /** The head of a fork's pull request that somebody may let be previewed; left out or null: there is nothing to ask. */
  readonly previewOnRequest?: Revision | null;
  /** After the merge: the revision that was merged, and the deploy that carries it out; null: not begun. */
  readonly merged: { readonly revision: Revision | null; readonly deploy: Deploy | null; readonly note: string } | null;
  /** Closed without a merge. */
  readonly closed: boolean;
  /** Plans shown before this one, newest first. */
  readonly history: readonly ShownPlan[];
  /** A plan that people saw or approved, where the plan now is another one; left out or null: none, or it is this one. */
  readonly reviewed?: Pick<ShownPlan, 'plan' | 'head' | 'release'> | null;
  readonly command: CommandResult | null;
  /** Sentences that belong to it: a fork's restrictions, a base that is not deployed, lock entries that are stale. */
  readonly notes: readonly string[];
  /** `https://github.com/acme/fleet`: links go nowhere else. */
  readonly webUrl: string;
  readonly showEnv: boolean;
}

/** What a status or a check run says: derived from the same model. */
export interface CommentHead {
  /** One line of plain text that begins with a sign: `✅ ready to merge`. */
  readonly verdict: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** One line of plain text, at most 140 UTF-16 code units. */
  readonly description: string;
  readonly planId: Digest | null;
}
