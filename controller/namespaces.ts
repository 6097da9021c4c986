/** What the loop remembers of each namespace, changed by compare-and-set: the loop and people's commands both write it. */

import { NamespaceRecord } from '../schemas/deploy.ts';
import { isSlipwayError } from '../schemas/errors.ts';
import type { NamespaceName } from '../schemas/names.ts';
import type { Bucket } from '../store/port.ts';

export interface Namespaces {
  get(namespace: NamespaceName): Promise<NamespaceRecord>;
  /** Applies `change` to the present record until nobody else wrote in between; writes nothing when nothing changed. */
  change(namespace: NamespaceName, change: (record: NamespaceRecord) => NamespaceRecord): Promise<NamespaceRecord>;
  list(): Promise<NamespaceRecord[]>;
}

export function createNamespaces(deps: { bucket: Bucket }): Namespaces {
  const { bucket } = deps;
  const fresh = (namespace: string): NamespaceRecord => ({ namespace, carriedOut: null, failed: null, held: null });

  return {
    async get(namespace) {
      const entry = await bucket.get([namespace]);
      return entry === null ? fresh(namespace) : NamespaceRecord.parse(entry.value);
    },
    async change(namespace, change) {
      for (;;) {
        const entry = await bucket.get([namespace]);
        const before = entry === null ? fresh(namespace) : NamespaceRecord.parse(entry.value);
        const after = change(before);
        if (JSON.stringify(after) === JSON.stringify(before)) return before;
        try {
          if (entry === null) await bucket.create([namespace], after);
          else await bucket.update([namespace], after, entry.revision);
          return after;
        } catch (error) {
          if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
        }
      }
    },
    async list() {
      const entries = await bucket.list();
      return entries.map((it) => NamespaceRecord.parse(it.value));
    },
  };
}
