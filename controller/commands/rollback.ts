/** `/slipway rollback`: back to an earlier release, as the CLI does it: the namespace is held against git. */
import type { AgreementKind } from '../../schemas/consent.ts';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import type { Store } from '../../store/port.ts';
import { byHand } from '../by-hand.ts';
import { carryOut } from '../carry-out.ts';
import type { Agreements } from '../consent/agreements.ts';
import type { Freezes } from '../consent/freezes.ts';
import { needsOf, shortId } from '../consent/needs.ts';
import { type Clock, isoNow } from '../execute/clock.ts';
import type { Deploys } from '../execute/deploys.ts';
import type { Executor } from '../execute/executor.ts';
import { holdNamespace } from '../hold.ts';
import type { Namespaces } from '../namespaces.ts';
import { failureText } from '../plan/failure-text.ts';
import { planBack } from '../plan-back.ts';
import { keepShownPlan } from '../pulls/shown-plans.ts';
import { ruleFor, rulesOf } from '../rules.ts';
import { type Asked, actorOf, Refused } from './verbs.ts';

export interface RollbackDeps {
  readonly store: Store;
  readonly executor: Executor;
  readonly deploys: Deploys;
  readonly namespaces: Namespaces;
  readonly agreements: Agreements;
  readonly freezes: Freezes;
  readonly clock: Clock;
  readonly gatewayPorts: readonly number[];
}

/** How each agreement is given. */
const HOW = { approval: '/slipway approve', consent: 'slipway consent' } as const satisfies Record<
  AgreementKind,
  string
>;
const WAIT_FOR_LEASE_MS = 35_000;

/** `to` null: the last release that differs. @throws Refused, FROZEN, UNKNOWN_RELEASE and what a deploy fails with */
export async function rollback(
  deps: RollbackDeps,
  asked: Asked,
  args: { readonly namespace: NamespaceName; readonly to: number | null },
): Promise<string> {
  const { namespace, to } = args;
  const { signal, settings, user, pull } = asked;
  const actor = actorOf(user);
  if ((await deps.deploys.listOpen(namespace)).length > 0) await deps.executor.recover(namespace, actor, signal);
  const result = await planBack(deps, { namespace, to, rule: ruleFor(rulesOf(settings), namespace) });
  if (!result.ok) {
    const code = result.failures[0]?.code ?? 'NO_CAPACITY';
    throw new SlipwayError(code, result.failures.map(failureText).join('; '));
  }
  const { plan } = result;
  if (!hasChanges(plan)) return `${namespace} is unchanged: what is live is what that release says.`;
  await deps.freezes.refuseFrozen(namespace);
  await requireAgreements(deps, asked, plan);
  const hold = (_: string, why: string) =>
    holdNamespace(deps.namespaces, { namespace, by: actor, why, at: isoNow(deps.clock) });
  const why = `rolled back to release #${plan.rollbackTo ?? 0} in pull request #${pull.number}`;
  const { deploy } = await byHand({ ...deps, hold }, { plan, why }, () =>
    carryOut(deps, { plan, actor, signal, waitForLeaseMs: WAIT_FOR_LEASE_MS }),
  );
  const { state, failure, releases } = deploy;
  if (state !== 'done' && state !== 'cleanup-pending')
    throw new Refused(
      `The rollback of ${namespace} is ${state}${failure === null ? '' : ` (${failure.code}: ${failure.message})`}; what was live before still serves.`,
    );
  return `${namespace} is back at what release #${plan.rollbackTo ?? 0} says; release #${releases.at(-1) ?? 0} is live. It is held: slipway resume ${namespace}, or the next change of it in git, ends that.`;
}

/** Where somebody has to agree, the plan waits, and whoever asked is its author. */
async function requireAgreements(deps: RollbackDeps, { user }: Asked, plan: Plan): Promise<void> {
  if ((await deps.agreements.missing(plan)).length === 0) return;
  await keepShownPlan(deps.store.bucket('pulls'), plan, 'by-hand');
  const asked = { by: actorOf(user), at: isoNow(deps.clock), forgeUser: user.id };
  await deps.agreements.require(plan, asked).catch((error: unknown) => {
    if (!isSlipwayError(error, 'CONSENT_NEEDED', 'APPROVAL_NEEDED')) throw error;
    const reasons = [...plan.consents, ...plan.approvals].join(' ');
    const how = needsOf(plan).map((kind) => `${HOW[kind]} ${shortId(plan.id)}`);
    throw new Refused(`${reasons} It waits for ${how.join(' and ')}; write /slipway rollback again after that.`);
  });
}
