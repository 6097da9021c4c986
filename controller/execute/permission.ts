/** Permission: what a plan must be allowed before its first step, and what it takes for good when it begins. */
import type { AgreementKind, Consent } from '../../schemas/consent.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import { type Agreements, createAgreements } from '../consent/agreements.ts';
import { createFreezes } from '../consent/freezes.ts';
import { needsOf, refusal } from '../consent/needs.ts';
import { isoNow } from './clock.ts';
import type { ExecutorDeps } from './session.ts';

type Deps = Pick<ExecutorDeps, 'store' | 'clock' | 'trace' | 'agreements' | 'confirmAgreement'>;

/** @throws FROZEN when a freeze holds, or when nobody can say whether one does */
export async function refuseFrozen(deps: Pick<Deps, 'store' | 'clock'>, namespace: NamespaceName): Promise<void> {
  const { store, clock } = deps;
  await createFreezes({ bucket: store.bucket('freezes'), now: () => clock.now() }).refuseFrozen(namespace);
}

/**
 * Takes every agreement that the plan needs, each for this deploy alone. A deploy that dies after it has to be agreed
 * to again. One that was given on a forge is looked at again first; if it is no longer good, it stays unused and the plan
 * waits, saying why.
 *
 * @throws CONSENT_NEEDED or APPROVAL_NEEDED, FORGE_UNAVAILABLE when an agreement cannot be looked at; nothing was taken
 * unless two executors came at once
 */
export async function takeAgreements(
  deps: Deps,
  args: { readonly plan: Plan; readonly deploy: DeployId; readonly actor: string; readonly signal: AbortSignal },
): Promise<NonNullable<Deploy['agreements']>> {
  const { plan, deploy, actor, signal } = args;
  const needs = needsOf(plan);
  if (needs.length === 0) return [];
  const agreements = deps.agreements ?? createAgreements({ bucket: deps.store.bucket('consents') });
  const at = isoNow(deps.clock);
  await agreements.require(plan, { by: actor, at });
  const good: { kind: AgreementKind; consent: Consent }[] = [];
  for (const kind of needs) {
    const { consent, why } = await firstGood(deps, agreements, { plan, kind, signal });
    if (consent === null) {
      await agreements.ask(plan, { by: actor, at, more: why });
      throw refusal(plan, [kind], why);
    }
    good.push({ kind, consent });
  }
  const taken: NonNullable<Deploy['agreements']> = [];
  for (const { kind, consent } of good) {
    deps.trace(`agreement:use:${kind}`);
    const used = await agreements.use(plan, kind, { deploy, at }, consent);
    deps.trace(`agreement:used:${kind}`);
    if (used === null) throw refusal(plan, [kind]);
    taken.push({ kind, by: used.by, why: used.why });
  }
  await agreements.settle(plan);
  return taken;
}

/** The first agreement that is good now; null with what is wrong with each. @throws when one cannot be looked at, and no other is good */
async function firstGood(
  deps: Deps,
  agreements: Agreements,
  args: { readonly plan: Plan; readonly kind: AgreementKind; readonly signal: AbortSignal },
): Promise<{ readonly consent: Consent | null; readonly why: readonly string[] }> {
  const { plan, kind, signal } = args;
  const why: string[] = [];
  let failure: Error | null = null;
  for (const consent of await agreements.covering(plan, kind)) {
    try {
      const refused = await confirm(deps, consent, plan, signal);
      if (refused === null) return { consent, why: [] };
      why.push(refused);
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error));
    }
  }
  if (failure !== null) throw failure;
  return { consent: null, why };
}

async function confirm(deps: Deps, consent: Consent, plan: Plan, signal: AbortSignal): Promise<string | null> {
  if (consent.forge === undefined) return null;
  if (deps.confirmAgreement !== undefined) return await deps.confirmAgreement(consent, plan, signal);
  return `The agreement of ${consent.by} was given in pull request #${consent.forge.pull}, and only the controller can look up whether it is still good: let it carry the plan out, or agree with the operator key.`;
}
