/**
 * The source: follows the tracked branch and tells one observer every state it is in, each only once.
 *
 * The poll is the truth; `wake` (hooks) and file events only make the next look come sooner.
 */

import type { Logger } from '../../schemas/logger.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Repository } from '../git/repository.ts';
import { type CursorBucket, createCursor } from './cursor.ts';
import { createLooker } from './look.ts';
import { PACES, type Pace, pollDelayMs, retryDelayMs } from './pace.ts';
import { identityOf, type SourceState } from './state.ts';

interface SourceClock {
  now(): number;
  /** Ends early, by resolving or rejecting, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface SourceArgs {
  readonly repository: Repository;
  /** Bucket `cursors` of the store. */
  readonly cursors: CursorBucket;
  readonly clock: SourceClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  /** Folder of the manifests by slipway.toml; null: there is no such file. */
  readonly manifestsFolder: (settingsFile: Uint8Array | null) => string;
  readonly allowRewind: (settingsFile: Uint8Array | null) => boolean;
  /** Calls `onEvent` when something at the paths may have changed; `watchPaths` of wake-up.ts. */
  readonly watch: (paths: readonly string[], onEvent: () => void, signal: AbortSignal) => void;
  readonly pace?: Partial<Pace>;
}

export interface Source {
  /**
   * Tells every change of state until the signal aborts, one at a time. While `onSource` runs nothing is read, so it
   * should only take note. What it rejects is told again later. Call once.
   */
  observe(onSource: (state: SourceState) => void | Promise<void>, signal: AbortSignal): Promise<void>;
  /** Look soon. */
  wake(): void;
}

/** A source over one repository. */
export function createSource(args: SourceArgs): Source {
  const { repository, clock, log } = args;
  const pace: Pace = { ...PACES[repository.kind], ...args.pace };
  const cursor = createCursor(args.cursors, repository);
  const looker = createLooker({ ...args, pace, cursor, now: () => clock.now() });
  let told = '';
  let refusals = 0;
  let unsaved: Revision | null = null;
  let unsavedFailures = 0;
  let saveAtMs = 0;
  let woken = false;
  let endNap = () => {};

  function wake(): void {
    woken = true;
    endNap();
  }

  async function tell(state: SourceState, onSource: (state: SourceState) => void | Promise<void>): Promise<void> {
    if (identityOf(state) === told) return;
    try {
      await onSource(state);
      told = identityOf(state);
      refusals = 0;
      if (state.kind === 'ok' || state.kind === 'invalid') unsaved = state.revision;
    } catch (error) {
      refusals++;
      log.error({ error, source: state.kind }, 'a state of the source could not be passed on; trying again');
    }
  }

  async function save(): Promise<void> {
    if (unsaved === null || clock.now() < saveAtMs) return;
    try {
      await looker.passedOn(unsaved);
      unsaved = null;
      unsavedFailures = 0;
    } catch (error) {
      unsavedFailures++;
      saveAtMs = clock.now() + retryDelayMs(pace, unsavedFailures);
      log.warn({ error }, 'the revision last seen could not be saved; trying again');
    }
  }

  /** Waits for the next look; a wake-up ends it, though not before the least gap. */
  async function nap(signal: AbortSignal): Promise<void> {
    const poll = pollDelayMs(pace, looker.failures(), args.random());
    const ms = refusals === 0 ? poll : Math.max(poll, retryDelayMs(pace, refusals));
    const own = new AbortController();
    endNap = () => own.abort();
    const onAbort = () => own.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) own.abort();
    const gapMs = Math.min(pace.minGapMs, ms);
    if (gapMs > 0) await clock.sleep(gapMs, signal).catch(() => undefined);
    if (!woken && ms > gapMs) await clock.sleep(ms - gapMs, own.signal).catch(() => undefined);
    signal.removeEventListener('abort', onAbort);
    endNap = () => {};
  }

  async function watch(signal: AbortSignal): Promise<boolean> {
    try {
      const paths = await repository.watchPaths();
      if (paths.length > 0) args.watch(paths, wake, signal);
      return true;
    } catch {
      return false;
    }
  }

  return {
    wake,
    async observe(onSource, signal) {
      let watching = false;
      while (!signal.aborted) {
        if (!watching) watching = await watch(signal);
        const eager = woken;
        woken = false;
        const state = await looker.look(signal, eager).catch(() => null);
        if (state === null) break;
        await tell(state, onSource);
        await save();
        await nap(signal);
      }
    },
  };
}
