/** Reads the plans that wait for people: of those that were refused, the ones whose release is still live. */
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import type { Agreements } from './agreements.ts';
import { covers } from './needs.ts';
import type { Waiting } from './waiting.ts';

/** Newest first; of all namespaces without one. */
export async function readWaiting(
  deps: { readonly store: Pick<Store, 'log'>; readonly agreements: Agreements },
  namespace?: NamespaceName,
): Promise<Waiting[]> {
  const pending = await deps.agreements.pending(namespace);
  const names = [...new Set(pending.map((it) => it.namespace))];
  const live = new Map(
    await Promise.all(names.map(async (it) => [it, (await deps.store.log.live(it))?.n ?? null] as const)),
  );
  return await Promise.all(
    pending
      .filter((it) => live.get(it.namespace) === it.release)
      .map(async (it) => {
        const plan = { id: it.plan, release: it.release };
        const given = await Promise.all(
          it.needs.map(async (kind) => covers(await deps.agreements.given(it, kind), plan)),
        );
        return { pending: it, missing: it.needs.filter((_, index) => given[index] !== true) };
      }),
  );
}
