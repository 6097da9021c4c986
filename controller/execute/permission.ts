/** Permission: what a plan must be allowed before its first step, and what it takes for good when it begins. */
import type { Deploy } from '../../schemas/deploy.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import { type Agreements, createAgreements } from '../consent/agreements.ts';
import { createFreezes } from '../consent/freezes.ts';
import { needsOf, refusal } from '../consent/needs.ts';
import { isoNow } from './clock.ts';
import type { ExecutorDeps } from './session.ts';

type Deps = Pick<ExecutorDeps, 'store' | 'clock' | 'trace'>;

/** @throws FROZEN when a freeze holds, or when nobody can say whether one does */
export async function refuseFrozen(deps: Deps, namespace: NamespaceName): Promise<void> {
  const { store, clock } = deps;
  await createFreezes({ bucket: store.bucket('freezes'), now: () => clock.now() }).refuseFrozen(namespace);
}

/**
 * Takes every agreement that the plan needs, each for this deploy alone. A deploy that dies after it has to be agreed
 * to again.
 *
 * @throws CONSENT_NEEDED or APPROVAL_NEEDED; nothing was taken unless two executors came at once
 */
export async function takeAgreements(
  deps: Deps,
  args: { readonly plan: Plan; readonly deploy: DeployId; readonly actor: string },
): Promise<NonNullable<Deploy['agreements']>> {
  const { plan, deploy, actor } = args;
  const needs = needsOf(plan);
  if (needs.length === 0) return [];
  const agreements: Agreements = createAgreements({ bucket: deps.store.bucket('consents') });
  const at = isoNow(deps.clock);
  await agreements.require(plan, { by: actor, at });
  const taken: NonNullable<Deploy['agreements']> = [];
  for (const kind of needs) {
    deps.trace(`agreement:use:${kind}`);
    const used = await agreements.use(plan, kind, { deploy, at });
    deps.trace(`agreement:used:${kind}`);
    if (used === null) throw refusal(plan, [kind]);
    taken.push({ kind, by: used.by, why: used.why });
  }
  await agreements.settle(plan);
  return taken;
}
