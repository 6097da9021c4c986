/** Live: the released side of a plan, indexed. A row's spec may be older than its service's (after a checkpoint). */
import type { Digest, ServiceName, SlotName } from '../../schemas/names.ts';
import type { SlotRow } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { PlanInput } from './input.ts';
import { bySlot, groupBy, sortedBy } from './order.ts';

export interface Live {
  /** Service → digest of its released spec, in order of name. */
  readonly services: ReadonlyMap<ServiceName, Digest>;
  /** In order of slot. */
  readonly rows: readonly SlotRow[];
  readonly bySlot: ReadonlyMap<SlotName, SlotRow>;
  readonly byService: ReadonlyMap<ServiceName, readonly SlotRow[]>;
  /** Spec of a digest that the release names; a missing one is a bug of the caller and throws. */
  specOf(digest: Digest): ServiceSpec;
}

/** Index of what is live; empty when nothing is. */
export function liveOf(released: PlanInput['released']): Live {
  const rows = (released?.release.slots ?? []).toSorted(bySlot);
  const services = sortedBy(Object.entries(released?.release.services ?? {}), ([name]) => name);
  return {
    services: new Map(services),
    rows,
    bySlot: new Map(rows.map((row) => [row.slot, row])),
    byService: groupBy(rows, (row) => row.service),
    specOf(digest) {
      const spec = released?.specs.get(digest);
      if (spec === undefined) throw new Error(`the plan was given no spec for ${digest}, which the release names`);
      return spec;
    },
  };
}
