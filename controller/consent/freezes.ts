/** Freezes in the store. Every question about one has an answer: frozen, when the store does not give another. */
import type { Freeze } from '../../schemas/consent.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Bucket, Key } from '../../store/port.ts';
import { type Frozen, frozenError, frozenNow, unreadable } from './frozen.ts';

export interface Freezes {
  /** The freeze that keeps the namespace as it is; null: none. Never throws. */
  holding(namespace: NamespaceName): Promise<Frozen | null>;
  /** @throws FROZEN */
  refuseFrozen(namespace: NamespaceName): Promise<void>;
  /** Every freeze that holds now. Never throws. */
  list(): Promise<Frozen[]>;
  set(freeze: Freeze): Promise<void>;
  /** false: there was none. */
  lift(scope: Freeze['scope']): Promise<boolean>;
}

const ALL: Key = ['all'];
const keyOf = (scope: string): Key => (scope === '*' ? ALL : ['ns', scope]);

/** The scope that a key of the bucket is about; null: it is none of ours. */
export function scopeOf(key: Key): Freeze['scope'] | null {
  if (key[0] === 'all') return '*';
  return key[0] === 'ns' ? (key[1] ?? null) : null;
}

export function createFreezes({ bucket, now }: { readonly bucket: Bucket; readonly now: () => number }): Freezes {
  async function inScope(scope: string): Promise<Frozen | null> {
    try {
      const entry = await bucket.get(keyOf(scope));
      return entry === null ? null : frozenNow(scope, entry.value, now());
    } catch (error) {
      return unreadable(scope, whyNot(error));
    }
  }
  const holding = async (namespace: string) => (await inScope('*')) ?? (await inScope(namespace));

  return {
    holding,
    async refuseFrozen(namespace) {
      const frozen = await holding(namespace);
      if (frozen !== null) throw frozenError(frozen);
    },
    async list() {
      try {
        const entries = await bucket.list();
        return entries.flatMap(({ key, value }) => frozenNow(scopeOf(key) ?? key.join('/'), value, now()) ?? []);
      } catch (error) {
        return [unreadable('*', whyNot(error))];
      }
    },
    async set(freeze) {
      await bucket.put(keyOf(freeze.scope), freeze);
    },
    async lift(scope) {
      const key = keyOf(scope);
      const there = await bucket.get(key).catch(() => true);
      if (there === null) return false;
      await bucket.delete(key);
      return true;
    },
  };
}

function whyNot(error: unknown): string {
  return `the store does not say whether it is (${error instanceof Error ? error.message : String(error)})`;
}
