/**
 * The one watcher: what is present, then every change, across lost connections. A tail of the client alone would lose
 * what was swallowed before a connection broke, and would never notice a replaced stream; so the position is held here,
 * the tail is renewed when the connection comes back, and the stream's own last sequence is compared every two seconds.
 */
import type { Logger } from '../schemas/logger.ts';
import type { Patience } from './patience.ts';
import type { Message, ReadTable, TableState, Tail } from './table.ts';

export interface Follower {
  /** Reads what is present and delivers it. Called first, and again when the table was replaced or has lost its end. */
  present(): Promise<void>;
  changed(message: Message): void;
  /** Nothing is outstanding at this moment. */
  caughtUp?(): void;
}

export interface FollowDeps {
  readonly table: ReadTable;
  readonly patiently: Patience;
  readonly checkMs: number;
  readonly log: Logger;
  readonly headersOnly?: boolean;
}

/** A message on its way needs this long at most; later than that it was lost. */
const IN_FLIGHT_MS = 250;

/** Resolves when what is present was delivered (or the signal aborted); goes on until the signal aborts. */
export async function follow(deps: FollowDeps, follower: Follower, signal: AbortSignal): Promise<void> {
  const { table, patiently, log } = deps;
  const alarm = createAlarm(signal);
  let created = '';
  let last = 0;
  let tail: Tail | null = null;

  async function reload(): Promise<TableState> {
    tail?.stop();
    const state = await table.state();
    await follower.present();
    created = state.created;
    last = state.last;
    return state;
  }

  async function attach(state: TableState): Promise<void> {
    tail?.stop();
    let current = true;
    const next = await table.tail({
      from: last + 1,
      headersOnly: deps.headersOnly === true,
      onBroken: () => {
        if (current) alarm.ring();
      },
      onMessage: (message) => {
        if (!current || signal.aborted || message.sequence <= last) return;
        last = message.sequence;
        deliver(() => follower.changed(message));
      },
    });
    tail = {
      pending: next.pending,
      stop: () => {
        current = false;
        next.stop();
      },
    };
    // Sequences that are gone (expired, overwritten) never arrive.
    if (next.pending === 0) last = Math.max(last, state.last);
    if (signal.aborted) tail.stop();
  }

  async function check(rung: boolean): Promise<void> {
    const state = await table.state();
    if (state.created !== created || state.last < last) await attach(await reload());
    else if (rung || (await isStuck(state))) await attach(state);
    if (last >= state.last) deliver(() => follower.caughtUp?.());
  }

  async function isStuck(state: TableState): Promise<boolean> {
    if (state.last <= last) return false;
    const before = last;
    await alarm.pause(IN_FLIGHT_MS);
    return last === before;
  }

  function deliver(call: () => void): void {
    try {
      call();
    } catch (error) {
      log.error({ error }, 'a watcher of the store threw');
    }
  }

  async function keepUp(): Promise<void> {
    let rung = false;
    while (!signal.aborted) {
      rung = (await alarm.wait(deps.checkMs)) || rung;
      if (signal.aborted) return;
      try {
        await check(rung);
        rung = false;
      } catch (error) {
        log.debug({ error }, 'a watch could not look at the store');
      }
    }
  }

  table.onRestored(() => alarm.ring(), signal);
  signal.addEventListener('abort', () => tail?.stop(), { once: true });
  try {
    await patiently(async () => attach(await reload()), { forMs: Number.POSITIVE_INFINITY, signal });
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  void keepUp();
}

/** A wait that can be cut short. */
function createAlarm(signal: AbortSignal) {
  let rung = false;
  let end: (() => void) | null = null;
  const wake = () => end?.();
  signal.addEventListener('abort', wake, { once: true });

  function pause(ms: number): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => end?.(), ms);
      end = () => {
        clearTimeout(timer);
        end = null;
        resolve();
      };
    });
  }

  return {
    pause,
    /** True when it was rung, false when the time passed. */
    async wait(ms: number): Promise<boolean> {
      if (!rung) await pause(ms);
      const was = rung;
      rung = false;
      return was;
    },
    ring(): void {
      rung = true;
      wake();
    },
  };
}
