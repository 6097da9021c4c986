/** The plan of a rollback by hand: what is live decides who manages it and which revision it came from. */
import type { NamespaceName } from '../schemas/names.ts';
import type { Store } from '../store/port.ts';
import type { PlanResult } from './plan/input.ts';
import { planRollback } from './reconcile.ts';
import type { ruleFor } from './rules.ts';

/** `to` null: the last release that differs. @throws UNKNOWN_NAMESPACE, UNKNOWN_RELEASE */
export async function planBack(
  deps: { readonly store: Store; readonly gatewayPorts: readonly number[] },
  args: { readonly namespace: NamespaceName; readonly to: number | null; readonly rule: ReturnType<typeof ruleFor> },
): Promise<PlanResult> {
  const { store, gatewayPorts } = deps;
  const { namespace, to, rule } = args;
  const live = await store.log.live(namespace);
  return await planRollback({
    store,
    namespace,
    to,
    revision: live?.source.revision ?? null,
    managedBy: live?.managedBy ?? 'manual',
    ...rule,
    gatewayPorts,
  });
}
