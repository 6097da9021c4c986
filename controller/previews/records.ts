/** Records of previews in the store, changed by compare-and-set. */
import type { NamespaceName } from '../../schemas/names.ts';
import { PreviewRecord } from '../../schemas/preview.ts';
import type { Bucket } from '../../store/port.ts';
import { changeRecord } from '../change-record.ts';

/** How long it is known how a preview ended; the log keeps its releases for ever. */
const KEPT_MS = 30 * 86_400_000;

export interface PreviewRecords {
  get(namespace: NamespaceName): Promise<PreviewRecord | null>;
  /** In order of namespace. */
  list(): Promise<PreviewRecord[]>;
  change(namespace: NamespaceName, change: (before: PreviewRecord | null) => PreviewRecord): Promise<PreviewRecord>;
  forgetOld(record: PreviewRecord, nowMs: number): Promise<void>;
}

/** null: no pull request has, or had, a preview of this name. */
export async function previewRecordOf(bucket: Bucket, namespace: NamespaceName): Promise<PreviewRecord | null> {
  return await createPreviewRecords({ bucket }).get(namespace);
}

export function createPreviewRecords({ bucket }: { readonly bucket: Bucket }): PreviewRecords {
  const read = (value: unknown) => (value === null ? null : PreviewRecord.parse(value));
  return {
    get: async (namespace) => read((await bucket.get([namespace]))?.value ?? null),
    async list() {
      // Prepared forks lie under a key of two names.
      const entries = (await bucket.list()).filter((it) => it.key.length === 1);
      return entries.map((it) => PreviewRecord.parse(it.value));
    },
    async change(namespace, change) {
      const after = await changeRecord(bucket, [namespace], read, change);
      if (after === null) throw new Error(`the record of preview ${namespace} is gone`);
      return after;
    },
    async forgetOld({ namespace, endedAt }, nowMs) {
      if (endedAt !== null && Date.parse(endedAt) + KEPT_MS <= nowMs) await bucket.delete([namespace]);
    },
  };
}
