/** What a namespace runs, as forks are made on top of it. */
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import { readSpecs } from '../execute/situation.ts';
import type { ForkArgs } from '../fork/fork.ts';

/** null: nothing is live. */
export async function readSource(store: Store, namespace: NamespaceName): Promise<ForkArgs['released']> {
  const release = await store.log.live(namespace);
  return release === null ? null : { release, specs: await readSpecs(store, release) };
}
