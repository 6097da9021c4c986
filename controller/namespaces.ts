/** What the loop remembers of each namespace, changed by compare-and-set: the loop and people's commands both write it. */

import { NamespaceRecord } from '../schemas/deploy.ts';
import type { NamespaceName } from '../schemas/names.ts';
import type { Bucket } from '../store/port.ts';
import { changeRecord } from './change-record.ts';

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
    change: (namespace, change) =>
      changeRecord(
        bucket,
        [namespace],
        (value) => (value === null ? fresh(namespace) : NamespaceRecord.parse(value)),
        change,
      ),
    async list() {
      const entries = await bucket.list();
      return entries.map((it) => NamespaceRecord.parse(it.value));
    },
  };
}
