/** Carry a plan out as its services ask: a deploy that failed after a checkpoint goes back when one of them says so. */
import type { Deploy } from '../schemas/deploy.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Plan } from '../schemas/plan.ts';
import type { Store } from '../store/port.ts';
import type { ExecuteArgs, Executor } from './execute/executor.ts';
import { planRollback } from './reconcile.ts';

export interface CarriedOut {
  readonly deploy: Deploy;
  /** The deploy that went back to the release before, when the first failed after a checkpoint. */
  readonly reverted: Deploy | null;
}

/** Executes the plan, and its revert where `on_failure = "revert"` asks for it. @throws as Executor.execute */
export async function carryOut(deps: { store: Store; executor: Executor }, args: ExecuteArgs): Promise<CarriedOut> {
  const { plan } = args;
  const deploy = await deps.executor.execute(args);
  const { release } = plan.basis;
  if (deploy.state !== 'failed-after-checkpoint' || release === null || !wantsRevert(plan))
    return { deploy, reverted: null };
  const back = await planRollback({
    store: deps.store,
    namespace: plan.namespace,
    to: release,
    revision: null,
    managedBy: plan.managedBy,
    maxRemovePercent: 100,
    // Going back on failure is part of the plan that was agreed to.
    approvalRequired: false,
    gatewayPorts: [],
  });
  if (!back.ok) return { deploy, reverted: null };
  try {
    const reverted = await deps.executor.execute({ ...args, plan: back.plan, waitForLeaseMs: 30_000 });
    return { deploy, reverted };
  } catch (error) {
    // Frozen since: it stays as the deploy left it, and people know more than we do.
    if (isSlipwayError(error, 'FROZEN', 'CONSENT_NEEDED', 'FORGE_UNAVAILABLE')) return { deploy, reverted: null };
    throw error;
  }
}

function wantsRevert(plan: Plan): boolean {
  const touched = new Set(plan.changes.filter((it) => it.kind === 'update').map((it) => it.service));
  return plan.services.some((it) => touched.has(it.name) && it.onFailure === 'revert');
}
