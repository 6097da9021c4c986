/** How many replicas a stopped service had: derived from the log, so that nobody has to remember it. */
import type { NamespaceName, ServiceName } from '../schemas/names.ts';
import { ServiceSpec } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';

/** The count of the last release in which it had a slot; 1 when it never had one. */
export async function lastReplicaCount(
  store: Pick<Store, 'log' | 'specs'>,
  namespace: NamespaceName,
  service: ServiceName,
): Promise<number> {
  const entries = await store.log.entries(namespace);
  for (const entry of entries.toReversed()) {
    if (entry.kind !== 'release' || !entry.slots.some((it) => it.service === service)) continue;
    const digest = entry.services[service];
    if (digest === undefined) continue;
    const { placement } = ServiceSpec.parse(await store.specs.get(digest));
    if (placement.replicaCount !== null && placement.replicaCount > 0) return placement.replicaCount;
  }
  return 1;
}
