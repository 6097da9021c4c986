/** The revision last seen, kept across restarts: without it a rewound branch could not be told from a new one. */
import { Revision } from '../../schemas/names.ts';

/** The part of the store's `cursors` bucket that is used. */
export interface CursorBucket {
  get(key: readonly string[]): Promise<{ readonly value: unknown } | null>;
  put(key: readonly string[], value: unknown): Promise<unknown>;
}

export interface Cursor {
  /** null: nothing was seen yet. @throws STATE_UNAVAILABLE */
  load(): Promise<Revision | null>;
  /** @throws STATE_UNAVAILABLE */
  save(revision: Revision): Promise<void>;
}

/** The cursor of one branch of one repository. */
export function createCursor(bucket: CursorBucket, repository: { name: string; branch: string }): Cursor {
  const key = ['source', repository.name, repository.branch];
  return {
    async load() {
      const entry = await bucket.get(key);
      const parsed = Revision.safeParse((entry?.value as { revision?: unknown } | null | undefined)?.revision);
      return parsed.success ? parsed.data : null;
    },
    async save(revision) {
      await bucket.put(key, { revision });
    },
  };
}
