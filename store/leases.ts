/**
 * Leases: at most one holder of a name, kept alive by renewal, open to others 30 s after the holder died. The fence of
 * a lease is (generation, revision of its creation), so every later holder has a higher one.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { StoreTiming } from './assets.ts';
import type { RevisionedBucket } from './buckets.ts';
import type { Clock } from './clock.ts';
import { keepAlive } from './keep-alive.ts';
import type { Key, Lease, Leases } from './port.ts';

/** `holding` names one acquisition: the same owner may come back after a crash. */
const Holder = z.strictObject({ owner: z.string(), holding: z.string() });

export interface LeasesDeps {
  readonly bucket: RevisionedBucket;
  readonly generation: () => Promise<number>;
  readonly timing: StoreTiming;
  readonly clock: Clock;
  readonly closed: AbortSignal;
  readonly log: Logger;
}

/** The leases over the bucket whose entries expire. */
export function createLeases(deps: LeasesDeps): Leases {
  const { bucket, log } = deps;

  async function read(name: Key): Promise<{ owner: string; holding: string; revision: number } | null> {
    const entry = await bucket.get(name);
    return entry === null ? null : { ...Holder.parse(entry.value), revision: entry.revision };
  }

  /** Deletes as long as the entry is the one meant; false when it is not or no longer. */
  async function removeIf(name: Key, meant: (holder: z.infer<typeof Holder>) => boolean): Promise<boolean> {
    for (;;) {
      const held = await read(name);
      if (held === null || !meant(held)) return false;
      try {
        await bucket.deleteRevision(name, held.revision);
        return true;
      } catch (error) {
        if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
      }
    }
  }

  async function acquire(name: Key, owner: string): Promise<Lease | null> {
    const value = { owner, holding: randomUUID() };
    const generation = await deps.generation();
    const alive = keepAlive({
      ...deps,
      what: name.join('/'),
      create: () => bucket.create(name, value),
      async renew(revision) {
        try {
          return await bucket.update(name, value, revision);
        } catch (error) {
          if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
          // A renewal that was given up on may have landed after all: then the lease is still ours.
          const held = await read(name);
          if (held?.holding !== value.holding) throw error;
          return await bucket.update(name, value, held.revision);
        }
      },
    });
    const revision = await alive.begin().catch((error: unknown) => {
      if (isSlipwayError(error, 'STATE_CONFLICT')) return null;
      throw error;
    });
    if (revision === null) return null;
    return {
      fence: { generation, revision },
      lost: alive.lost,
      async release() {
        await alive.end();
        try {
          await removeIf(name, (held) => held.holding === value.holding);
        } catch (error) {
          log.warn({ error, lease: name.join('/') }, 'a lease could not be released; it expires by itself');
        }
      },
    };
  }

  return {
    acquire,
    holder: async (name) => (await read(name))?.owner ?? null,
    revoke: async (name, owner) => await removeIf(name, (held) => held.owner === owner),
  };
}
