/**
 * Looks at the forge from time to time: every 30–60 s where no webhooks come, every 5 minutes as a safety net where they
 * do. What it finds goes the way of deliveries. After a start and after an outage everything is looked at.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { Delivery } from '../../schemas/delivery.ts';
import type { Hint, Pull, PullNumber } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Bucket, Deliveries, Store } from '../../store/port.ts';
import { pollDelayMs } from '../source/pace.ts';
import { commentTwin } from './hints.ts';
import { CommentCursor, changedPulls, newComments, type SeenPulls } from './poll-changes.ts';
import type { Forge, ForgeIdentity } from './port.ts';

export interface PollClock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface PollerArgs {
  readonly forge: Pick<Forge, 'identity' | 'listPulls' | 'listComments'>;
  readonly deliveries: Pick<Deliveries, 'put'>;
  readonly cursors: Pick<Bucket, 'get' | 'put'>;
  readonly onConnection: Store['onConnection'];
  /** Everything is looked at; rejects when that failed. */
  readonly all: () => Promise<void>;
  /** After each poll: what it failed with; null: the forge answered. */
  readonly onPolled?: (failure: unknown) => Promise<void>;
  /** Between two polls, whether webhooks come or not; null or left out: as this file says. */
  readonly pollMs?: number | null;
  readonly clock: PollClock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

export interface Poller {
  /** A webhook came; `number`: the pull request that it was about. */
  heard(number: PullNumber | null): void;
  /** Something was told that could not be kept: everything is looked at soon. */
  missed(): void;
  /** null: the forge was not asked yet. */
  identity(): ForgeIdentity | null;
  /** Polls until the signal aborts. Failures are logged, and never end it. */
  run(signal: AbortSignal): Promise<void>;
}

const PACES = {
  polling: { pollMs: 45_000, maxPollMs: 300_000, jitter: 0.33 },
  hooks: { pollMs: 300_000, maxPollMs: 300_000, jitter: 0.1 },
} as const;
const OUTAGE_MS = 60_000;
const SOON_MS = 5_000;
const CURSOR_KEY = ['forge', 'comments'];

/** A poller that has not looked yet. */
export function createPoller(args: PollerArgs): Poller {
  const { forge, clock, log } = args;
  let identity: ForgeIdentity | null = null;
  let hooksCome = false;
  /** Pull requests that webhooks named since the last poll, and between that and the one before. */
  let named: [ReadonlySet<PullNumber>, Set<PullNumber>] = [new Set(), new Set()];
  let owesAll = true;
  let seen: SeenPulls = new Map();
  let since: string | null = null;
  let hurry = new AbortController();

  function soon(): void {
    owesAll = true;
    hurry.abort();
  }

  function lookAtAll(): void {
    owesAll = false;
    args.all().catch((error: unknown) => {
      log.warn({ error }, 'not all pull requests could be looked at; it is tried again');
      owesAll = true;
    });
  }

  async function put(hint: Hint, repositoryId: number, revision: string | null, twin: string) {
    const at = new Date(clock.now()).toISOString();
    const value: Delivery = { hint, event: 'poll', action: null, repositoryId, revision, at };
    return await args.deliveries.put({ id: `poll-${twin}`, twin, value });
  }

  /** True when webhooks should have told of it, and have not. */
  async function pollPulls(
    { repositoryId }: ForgeIdentity,
    everything: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const found = changedPulls(seen, await forge.listPulls(since, signal));
    const told = (it: Pull) => named.some((set) => set.has(it.number));
    // Only now: what changes after this list was made is in the next one.
    if (everything) lookAtAll();
    else {
      for (const it of found.changed) {
        const twin = digestOf([repositoryId, 'poll', it]);
        await put({ kind: 'pull', number: it.number }, repositoryId, it.head.revision, twin);
      }
    }
    seen = found.seen;
    since = found.since ?? since;
    return !everything && found.changed.some((it) => !told(it));
  }

  async function pollComments({ repositoryId, user }: ForgeIdentity, signal: AbortSignal): Promise<boolean> {
    const entry = await args.cursors.get(CURSOR_KEY);
    const stored = CommentCursor.safeParse(entry?.value);
    // What was said before anybody listened is no command.
    const cursor = stored.success ? stored.data : { since: new Date(clock.now()).toISOString(), handed: [] };
    const { fresh, next } = newComments(cursor, await forge.listComments(cursor.since, signal), user);
    let untold = false;
    for (const { id, pull: number } of fresh) {
      const outcome = await put({ kind: 'comment', number, id }, repositoryId, null, commentTwin(repositoryId, id));
      untold ||= outcome === 'stored';
    }
    if (!stored.success || digestOf(next) !== digestOf(cursor)) await args.cursors.put(CURSOR_KEY, next);
    return untold;
  }

  async function poll(signal: AbortSignal): Promise<void> {
    hurry = new AbortController();
    identity = await forge.identity(signal);
    const untold = [await pollPulls(identity, owesAll, signal), await pollComments(identity, signal)];
    named = [named[1], new Set()];
    if (hooksCome && untold.includes(true)) {
      hooksCome = false;
      log.warn({}, 'something changed that no webhook told of; the forge is polled more often until one comes');
    }
  }

  async function tell(failure: unknown): Promise<void> {
    await args
      .onPolled?.(failure)
      .catch((error: unknown) => log.warn({ error }, 'it could not be recorded how the forge is'));
  }

  function watchStore(signal: AbortSignal): void {
    let lostAt: number | null = null;
    args.onConnection((connected) => {
      if (!connected) lostAt ??= clock.now();
      else if (lostAt !== null) {
        if (clock.now() - lostAt > OUTAGE_MS) soon();
        lostAt = null;
      }
    }, signal);
  }

  /** A wait that `soon` cuts short, but not below a few seconds. */
  async function rest(ms: number, signal: AbortSignal): Promise<void> {
    const least = Math.min(SOON_MS, ms);
    await clock.sleep(least, signal).catch(() => undefined);
    await clock.sleep(ms - least, AbortSignal.any([signal, hurry.signal])).catch(() => undefined);
  }

  return {
    heard(number) {
      hooksCome = true;
      if (number !== null) named[1].add(number);
    },
    missed: soon,
    identity: () => identity,
    async run(signal) {
      watchStore(signal);
      let failures = 0;
      let goodAt = clock.now();
      while (!signal.aborted) {
        try {
          if (failures > 0 && clock.now() - goodAt > OUTAGE_MS) owesAll = true;
          await poll(signal);
          failures = 0;
          goodAt = clock.now();
          await tell(null);
        } catch (error) {
          if (signal.aborted) return;
          failures += 1;
          log.warn({ error, failures }, 'the forge could not be polled; it is tried again');
          await tell(error);
        }
        const usual = hooksCome && failures === 0 && !owesAll ? PACES.hooks : PACES.polling;
        const pace = { ...usual, pollMs: args.pollMs ?? usual.pollMs };
        await rest(pollDelayMs(pace, failures, args.random()), signal);
      }
    },
  };
}
