/** Why a plan is not the one that was approved: it is compared with what was shown and agreed to. */
import type { Plan } from '../../schemas/plan.ts';
import type { Bucket } from '../../store/port.ts';
import type { Agreements } from '../consent/agreements.ts';
import { shortId } from '../consent/needs.ts';
import { difference } from '../plan/compare.ts';
import { readShownPlan } from './shown-plans.ts';

/** Sentences on what differs from the plan that was agreed to last; empty: none was, or it was not kept. */
export async function changedSinceAgreed(
  deps: { readonly agreements: Agreements; readonly pulls: Bucket },
  plan: Plan,
): Promise<string[]> {
  const unused = await deps.agreements.unused(plan.namespace);
  const [last] = unused.toSorted((a, b) => (a.at > b.at ? -1 : 1));
  if (last === undefined) return [];
  const agreed = await readShownPlan(deps.pulls, plan.namespace, last.plan);
  // Kept by id: the same effect may have been shown over another release since.
  const before = agreed === null ? null : { ...agreed, basis: { ...agreed.basis, release: last.release } };
  const found = before === null ? [] : difference(before, plan);
  return found.length === 0 ? [] : [`It is not plan ${shortId(last.plan)}, to which ${last.by} agreed.`, ...found];
}
