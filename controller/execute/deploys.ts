/**
 * Deploy records in the store: what is open, what was.
 *
 * `open/<ns>/<id>` is a pointer written before the first step and deleted when nothing is left to do: whoever takes
 * the lease next finds there what a dead executor left. `ns/<ns>/<id>` is the record people see.
 */
import { Deploy } from '../../schemas/deploy.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { Bucket } from '../../store/port.ts';

/** How many ended deploys of a namespace are kept; the log keeps their releases for ever. */
const KEPT = 50;

export interface Deploys {
  open(deploy: Deploy): Promise<void>;
  /** Replaces the record; a deploy with nothing left to do is no longer open. */
  save(deploy: Deploy, over?: boolean): Promise<void>;
  get(namespace: NamespaceName, id: DeployId): Promise<Deploy | null>;
  /** Oldest first. */
  list(namespace: NamespaceName): Promise<Deploy[]>;
  listOpen(namespace: NamespaceName): Promise<Deploy[]>;
  openNamespaces(): Promise<NamespaceName[]>;
}

export function createDeploys(deps: { bucket: Bucket }): Deploys {
  const { bucket } = deps;
  const recordKey = (it: { namespace: string; id: string }) => ['ns', it.namespace, it.id];
  const openKey = (it: { namespace: string; id: string }) => ['open', it.namespace, it.id];

  async function list(namespace: NamespaceName): Promise<Deploy[]> {
    const entries = await bucket.list(['ns', namespace]);
    return entries.map((it) => Deploy.parse(it.value)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async function forgetOld(namespace: NamespaceName): Promise<void> {
    const ended = (await list(namespace)).filter((it) => it.endedAt !== null);
    for (const old of ended.slice(0, Math.max(0, ended.length - KEPT))) await bucket.delete(recordKey(old));
  }

  return {
    async open(deploy) {
      await bucket.put(openKey(deploy), deploy);
      await bucket.put(recordKey(deploy), deploy);
    },
    async save(deploy, over = false) {
      await bucket.put(recordKey(deploy), deploy);
      if (!over) return;
      await bucket.delete(openKey(deploy));
      await forgetOld(deploy.namespace);
    },
    async get(namespace, id) {
      const entry = await bucket.get(recordKey({ namespace, id }));
      return entry === null ? null : Deploy.parse(entry.value);
    },
    list,
    async listOpen(namespace) {
      const pointers = (await bucket.list(['open', namespace])).map((it) => Deploy.parse(it.value));
      // The pointer is how it began; a crash may have come before its record.
      const records = await Promise.all(pointers.map(async (it) => (await this.get(namespace, it.id)) ?? it));
      return records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    async openNamespaces() {
      const entries = await bucket.list(['open']);
      return [...new Set(entries.map((it) => Deploy.parse(it.value).namespace))].toSorted();
    },
  };
}
