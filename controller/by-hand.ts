/** What people carry out by hand holds the namespace against git: before anything happens, and only as long as something did. */
import type { Plan } from '../schemas/plan.ts';
import type { Store } from '../store/port.ts';
import type { HoldChange } from './hold.ts';
import type { Namespaces } from './namespaces.ts';

/**
 * Holds the namespace, then works. When nothing of the plan went live, the hold that was there before is put back; when
 * that cannot be told (the state does not answer), the namespace stays held.
 */
export async function byHand<T>(
  connection: {
    readonly store: Pick<Store, 'log'>;
    readonly namespaces: Namespaces;
    hold(namespace: string, why: string): Promise<HoldChange>;
  },
  { plan, why }: { readonly plan: Plan; readonly why: string },
  work: () => Promise<T>,
): Promise<T> {
  const { store, namespaces } = connection;
  const { namespace } = plan;
  // Held first: a loop that sees the new release must not take it back.
  const { before, held: mine } = await connection.hold(namespace, why);
  const wentLive = async () => {
    const live = await store.log.live(namespace);
    return live !== null && live.n > (plan.basis.release ?? 0) && live.planId === plan.id;
  };
  const restore = async () => {
    if (await wentLive()) return;
    // Somebody may have said something else meanwhile: that counts.
    await namespaces.change(namespace, (it) =>
      JSON.stringify(it.held) === JSON.stringify(mine) ? { ...it, held: before } : it,
    );
  };
  try {
    return await work();
  } finally {
    await restore().catch(() => undefined);
  }
}
