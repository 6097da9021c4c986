/** One look at the tracked branch: the state it is in now. Reads content only when the revision is a new one. */

import { isSlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Repository } from '../git/repository.ts';
import type { Cursor } from './cursor.ts';
import { type Pace, retryDelayMs } from './pace.ts';
import { readRevision, readSettings } from './read-revision.ts';
import type { SourceState } from './state.ts';

export interface LookArgs {
  readonly repository: Repository;
  readonly cursor: Cursor;
  readonly pace: Pace;
  readonly now: () => number;
  readonly log: Logger;
  readonly manifestsFolder: (settingsFile: Uint8Array | null) => string;
  /** Whether the settings of the new revision allow that it does not contain the last one. Throwing means no. */
  readonly allowRewind: (settingsFile: Uint8Array | null) => boolean;
}

export interface Looker {
  /** Never throws but for the signal. `eager`: do not wait with a revision whose reading failed. */
  look(signal: AbortSignal, eager: boolean): Promise<SourceState>;
  /** Failed looks in a row. */
  failures(): number;
  /** The revision was passed on: from now on the branch has to contain it. @throws STATE_UNAVAILABLE; then call again */
  passedOn(revision: Revision): Promise<void>;
}

type Settled = Exclude<SourceState, { kind: 'unavailable' }>;

/** Looks at one branch; remembers what it saw last. */
export function createLooker(args: LookArgs): Looker {
  const { repository, pace } = args;
  let settled: Settled | null = null;
  let lastSeen: Revision | null | undefined;
  let failing: { readonly since: string; count: number } | null = null;
  let unreadable: { tip: Revision; count: number; retryAtMs: number; error: unknown } | null = null;

  async function read(tip: Revision, signal: AbortSignal): Promise<Settled> {
    lastSeen ??= await args.cursor.load();
    const rewound = await rewoundFrom(lastSeen, tip, signal);
    if (rewound !== null) return rewound;
    return await readRevision({ repository, revision: tip, manifestsFolder: args.manifestsFolder, signal });
  }

  async function rewoundFrom(seen: Revision | null, tip: Revision, signal: AbortSignal): Promise<Settled | null> {
    if (seen === null || (await repository.contains(seen, tip, signal))) return null;
    if (await rewindAllowed(tip)) return null;
    const why =
      `${repository.name}: branch "${repository.branch}" is at ${tip.slice(0, 10)}, which does not contain ` +
      `${seen.slice(0, 10)} seen before. Push a commit that contains it, or set allow_rewind = true under [source]`;
    return { kind: 'rewound', revision: tip, lastSeen: seen, why };
  }

  async function rewindAllowed(tip: Revision): Promise<boolean> {
    const settings = await readSettings(repository, tip);
    if ('problem' in settings) return false;
    try {
      return args.allowRewind(settings.bytes);
    } catch {
      return false;
    }
  }

  async function settle(tip: Revision, signal: AbortSignal, eager: boolean): Promise<Settled> {
    const before = unreadable?.tip === tip ? unreadable : null;
    if (before !== null && !eager && args.now() < before.retryAtMs) throw before.error;
    try {
      const state = await read(tip, signal);
      unreadable = null;
      return state;
    } catch (error) {
      const count = (before?.count ?? 0) + 1;
      unreadable = { tip, count, retryAtMs: args.now() + retryDelayMs(pace, count), error };
      throw error;
    }
  }

  function failed(error: unknown): SourceState {
    failing ??= { since: new Date(args.now()).toISOString(), count: 0 };
    failing.count++;
    if (isSlipwayError(error))
      return { kind: 'unavailable', code: error.code, why: error.message, since: failing.since };
    args.log.error({ error, repository: repository.name }, 'reading the source failed in an unforeseen way');
    const why = `${repository.name} could not be read; the log has the details`;
    return { kind: 'unavailable', code: 'SOURCE_UNAVAILABLE', why, since: failing.since };
  }

  return {
    failures: () => failing?.count ?? 0,
    async look(signal, eager) {
      try {
        const tip = await repository.tip(signal);
        if (settled?.revision !== tip) settled = await settle(tip, signal, eager);
        failing = null;
        return settled;
      } catch (error) {
        signal.throwIfAborted();
        return failed(error);
      }
    },
    async passedOn(revision) {
      lastSeen = revision;
      await args.cursor.save(revision);
    },
  };
}
