/**
 * Looks again at an agreement that was given in a pull request: whether its author may still agree, now. Refuses in all
 * doubt; a look-up that fails is an error, never a yes.
 */
import type { Consent } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { ForgeUser, PullNumber } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Basis, Plan } from '../../schemas/plan.ts';
import type { Forge } from '../forge/port.ts';
import { type ApproverRule, isAtLeast, LEAST_OF_NAMED, namedIn } from './approvers.ts';

/** What of a plan an agreement is about. */
export type AgreedPlan = Pick<Plan, 'id' | 'namespace'> & {
  readonly basis: Pick<Basis, 'release' | 'desiredDigest'>;
};

/** null: the agreement is still good; else why not, as a sentence. @throws FORGE_UNAVAILABLE, FORGE_REFUSED, FORGE_INVALID */
export type ConfirmAgreement = (consent: Consent, plan: AgreedPlan, signal: AbortSignal) => Promise<string | null>;

/** A pull request that a plan came from. */
export interface Origin {
  readonly number: PullNumber;
  readonly author: ForgeUser;
  /** Ids of users for whom it was opened. */
  readonly askedBy?: readonly number[];
}

export interface ForgeCheckDeps {
  readonly forge: Pick<Forge, 'permission' | 'isMember' | 'changeRequests' | 'getPull' | 'getComment'>;
  /** null: nobody read the settings yet. */
  readonly rule: (namespace: NamespaceName) => Promise<ApproverRule | null>;
  /** Pull requests that show the plan, or whose merge it carries out. */
  readonly origins: (plan: AgreedPlan) => Promise<readonly Origin[]>;
  /** Id of the forge's user who asked for the plan; null: nobody on the forge did. */
  readonly askedBy: (plan: AgreedPlan) => Promise<number | null>;
}

const LOOK_UP_MS = 20_000;

export function createForgeCheck(deps: ForgeCheckDeps): ConfirmAgreement {
  const { forge } = deps;
  return async (consent, plan, until) => {
    if (consent.forge === undefined) return null;
    const signal = AbortSignal.any([until, AbortSignal.timeout(LOOK_UP_MS)]);
    const { userId, pull: number } = consent.forge;
    const rule = await deps.rule(plan.namespace);
    if (rule === null)
      throw new SlipwayError('FORGE_UNAVAILABLE', 'the approvers are not known: slipway.toml was not read yet');
    const comment = await forge.getComment(consent.forge.comment, signal);
    if (comment === null || comment.pull !== number) return `The comment of ${consent.by} that agreed to it is gone.`;
    if (comment.author.id !== userId) return `The comment that agreed to it is no longer that of ${consent.by}.`;
    if (comment.updatedAt !== comment.createdAt) return `The comment of ${consent.by} that agreed to it was edited.`;
    // The login as it is now: the one of then may be somebody else's.
    const { login } = comment.author;
    const pull = await forge.getPull(number, signal);
    if (pull === null) return `Pull request #${number}, where ${consent.by} agreed to it, is gone.`;
    const origins = await deps.origins(plan);
    if (!rule.self) {
      const own = [{ number, author: pull.author }, ...origins].find((it) => it.author.id === userId);
      if (own !== undefined)
        return `${consent.by} is the author of pull request #${own.number}, and nobody agrees to plans of their own here.`;
      const wished = origins.find((it) => it.askedBy?.includes(userId) === true);
      if (wished !== undefined)
        return `${consent.by} asked for pull request #${wished.number}, and nobody agrees to plans of their own here.`;
      if ((await deps.askedBy(plan)) === userId)
        return `${consent.by} asked for it, and nobody agrees to plans of their own here.`;
    }
    const unfit = await whyUnfit(forge, rule, login, signal);
    if (unfit !== null) return `${consent.by} may not agree to it: ${unfit}.`;
    for (const it of new Set([number, ...origins.map((origin) => origin.number)])) {
      const [asks] = await forge.changeRequests(it, signal);
      if (asks !== undefined) return `${asks.login} asks for changes in pull request #${it}.`;
    }
    return null;
  };
}

/** null: the rule lets the user agree. */
async function whyUnfit(
  forge: ForgeCheckDeps['forge'],
  rule: ApproverRule,
  login: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { approvers, roles } = rule;
  const permission = await forge.permission(login, signal);
  const least = approvers.length === 0 ? roles : LEAST_OF_NAMED;
  if (!isAtLeast(permission, least))
    return `that takes the permission ${least.join(' or ')} on the repository, and this is ${permission}`;
  if (approvers.length === 0) return null;
  const { teams, logins } = namedIn(approvers);
  if (logins.includes(login.toLowerCase())) return null;
  for (const team of teams) if (await forge.isMember(team, login, signal)) return null;
  return `[approvals] of slipway.toml names ${approvers.join(', ')}`;
}
