/** Time and identity as dependencies, so that tests and traces can hold them. */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeployId } from '../../schemas/names.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // Many wait on one signal at once; Node would take that for a leak.
    if (signal !== undefined) setMaxListeners(0, signal);
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};

/** ISO 8601 text of the clock's time. */
export function isoNow(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Crockford's base 32, lower case. Source: https://www.crockford.com/base32.html */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** A new deploy id: 9 digits of milliseconds, 7 of randomness; sorts by time. */
export function newDeployId(clock: Clock): DeployId {
  let time = '';
  for (let rest = clock.now(), i = 0; i < 9; i++, rest = Math.floor(rest / 32)) time = `${DIGITS[rest % 32]}${time}`;
  const random = [...randomBytes(7)].map((byte) => DIGITS[byte % 32]).join('');
  return time + random;
}
