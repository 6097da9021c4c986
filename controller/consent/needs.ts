/** What a plan needs people to agree to, and what is said where that is missing. Pure. */

import type { AgreementKind, Consent, Pending } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Plan } from '../../schemas/plan.ts';
import { summary } from '../plan/describe.ts';

/** How many digits of a plan id name it in commands. */
export const PLAN_DIGITS = 12;

/** Kind → the error that says it is missing, and the command that gives it. */
export const AGREEMENTS = {
  consent: { code: 'CONSENT_NEEDED', command: 'consent', given: 'consented to' },
  approval: { code: 'APPROVAL_NEEDED', command: 'approve', given: 'approved' },
} as const satisfies Record<AgreementKind, { code: string; command: string; given: string }>;

/** Kinds of agreement without which the plan does not run, in the order in which they are asked for. */
export function needsOf(plan: Pick<Plan, 'consents' | 'approvals'>): AgreementKind[] {
  return [...(plan.consents.length > 0 ? ['consent' as const] : []), ...approvalNeed(plan)];
}

function approvalNeed({ approvals }: Pick<Plan, 'approvals'>): AgreementKind[] {
  return approvals.length > 0 ? ['approval'] : [];
}

/** Whether an agreement may be taken for a plan over a release. */
export type Covers = typeof covers;

/** Whether an agreement is one that nobody took yet, to exactly this plan over exactly this release. */
export function covers(
  consent: Consent | null,
  plan: { readonly id: string; readonly release: number | null },
): boolean {
  return consent !== null && consent.used === null && consent.plan === plan.id && consent.release === plan.release;
}

/** Who wants a plan carried out, and when. */
export interface Asked {
  readonly by: string;
  readonly at: string;
  /** Of a forge's user: the id. */
  readonly forgeUser?: number;
  /** Sentences to be said beside what the plan needs: why an agreement is not good, what differs from an approved plan. */
  readonly more?: readonly string[];
}

/** The record of a plan that was refused. */
export function pendingOf(plan: Plan, asked: Asked): Pending {
  return {
    plan: plan.id,
    namespace: plan.namespace,
    needs: needsOf(plan),
    reasons: [...plan.consents, ...plan.approvals, ...(asked.more ?? [])],
    summary: summary(plan),
    desiredDigest: plan.basis.desiredDigest,
    release: plan.basis.release,
    at: asked.at,
    by: asked.by,
    ...(asked.forgeUser === undefined ? {} : { forgeUser: asked.forgeUser }),
  };
}

/** The refusal of a plan for want of agreements, with the command that gives each. */
export function refusal(plan: Plan, missing: readonly AgreementKind[], more: readonly string[] = []): SlipwayError {
  const reasons = [...missing.flatMap((it) => (it === 'consent' ? plan.consents : plan.approvals)), ...more];
  const how = missing.map((it) => `\`slipway ${AGREEMENTS[it].command} ${shortId(plan.id)}\``).join(' and ');
  const code = AGREEMENTS[missing[0] ?? 'consent'].code;
  return new SlipwayError(
    code,
    `${reasons.join(' ')} ${how} ${missing.length > 1 ? 'let' : 'lets'} it be carried out`,
    {
      plan: plan.id,
      needs: missing,
    },
  );
}

/** The pending plan that a text names. @throws USAGE with all of them when it names none or several */
export function findPending(pending: readonly Pending[], text: string): Pending {
  const found = pending.filter((it) => it.plan === text || (text.length >= PLAN_DIGITS && it.plan.startsWith(text)));
  const [first] = found;
  if (first !== undefined && new Set(found.map((it) => it.plan)).size === 1) return first;
  const why =
    first !== undefined
      ? `${text} is the beginning of several plans`
      : text.length < PLAN_DIGITS
        ? `${text} is too short: the first ${PLAN_DIGITS} digits of a plan id are needed`
        : `no plan ${text} waits for anybody`;
  const list = pending.map((it) => `${shortId(it.plan)} (${it.namespace}: ${it.needs.join(', ')})`);
  throw new SlipwayError('USAGE', `${why}; ${list.length === 0 ? 'none does' : `these do: ${list.join(', ')}`}`);
}

/** As much of a plan id as commands take. */
export function shortId(plan: string): string {
  return plan.slice(0, PLAN_DIGITS);
}
