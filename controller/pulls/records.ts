/** What is remembered of pull requests, changed by compare-and-set. */
import { type Pull, type PullNumber, PullRecord } from '../../schemas/forge.ts';
import type { Bucket } from '../../store/port.ts';
import { changeRecord } from '../change-record.ts';

export interface PullRecords {
  get(number: PullNumber): Promise<PullRecord | null>;
  /** Applies `change` to the record, or to a new one, until nobody else wrote in between. */
  change(pull: Pull, change: (record: PullRecord) => PullRecord): Promise<PullRecord>;
  /** The same for one that is there; null: none is. */
  amend(number: PullNumber, change: (record: PullRecord) => PullRecord): Promise<PullRecord | null>;
  list(): Promise<PullRecord[]>;
}

const PREFIX = 'pr';
const keyOf = (number: PullNumber) => [PREFIX, String(number)];

export function createPullRecords(deps: { readonly bucket: Bucket; readonly now: () => string }): PullRecords {
  const { bucket } = deps;

  function fresh(pull: Pull): PullRecord {
    return {
      number: pull.number,
      author: pull.author,
      state: 'open',
      head: pull.head.revision,
      mergeCommit: null,
      namespaces: {},
      allowedHead: null,
      previewStopped: false,
      command: null,
      pushedAt: deps.now(),
    };
  }

  return {
    async get(number) {
      const entry = await bucket.get(keyOf(number));
      return entry === null ? null : PullRecord.parse(entry.value);
    },
    change: (pull, change) =>
      changeRecord(
        bucket,
        keyOf(pull.number),
        (value) => (value === null ? fresh(pull) : PullRecord.parse(value)),
        change,
      ),
    amend: (number, change) =>
      changeRecord<PullRecord | null>(
        bucket,
        keyOf(number),
        (value) => (value === null ? null : PullRecord.parse(value)),
        (before) => (before === null ? null : change(before)),
      ),
    async list() {
      const entries = await bucket.list([PREFIX]);
      return entries.map((it) => PullRecord.parse(it.value));
    },
  };
}
