/** Rate limits: so many requests an hour for each credential, and the secondary limit, which a test switches on. */
import type { Credential } from './tokens.ts';

const HOUR_MS = 3_600_000;
const ANONYMOUS_LIMIT = 60;

interface Window {
  used: number;
  resetAtMs: number;
}

export type Limits = ReturnType<typeof createLimits>;

export function createLimits(nowMs: () => number) {
  const windows = new Map<string, Window>();

  const limits = {
    /** Requests an hour for a token. */
    perHour: 5000,
    /** Of answers when it is used up. */
    exhaustedStatus: 403 as 403 | 429,
    /** So many of the next writes are refused by the secondary limit. */
    secondary: { writes: 0, retryAfterSeconds: 1, status: 403 as 403 | 429 },

    /** Counts one request; a 304 is given back by `refund`. */
    take(credential: Credential): {
      allowed: boolean;
      headers: Record<string, string>;
      refund(): Record<string, string>;
    } {
      const window = windowOf(credential);
      const limit = limitOf(credential);
      const allowed = window.used < limit;
      if (allowed) window.used++;
      return {
        allowed,
        headers: headersOf(window, limit),
        refund() {
          if (credential.kind !== 'anonymous') window.used--;
          return headersOf(window, limit);
        },
      };
    },

    peek(credential: Credential) {
      const { used, resetAtMs } = windowOf(credential);
      const limit = limitOf(credential);
      return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil(resetAtMs / 1000) };
    },

    /** The hour of everybody ends now. */
    reset: () => windows.clear(),
  };
  return limits;

  function limitOf(credential: Credential): number {
    return credential.kind === 'anonymous' ? Math.min(ANONYMOUS_LIMIT, limits.perHour) : limits.perHour;
  }

  function windowOf(credential: Credential): Window {
    const key = keyOf(credential);
    const old = windows.get(key);
    if (old !== undefined && old.resetAtMs > nowMs()) return old;
    const made = { used: 0, resetAtMs: nowMs() + HOUR_MS };
    windows.set(key, made);
    return made;
  }
}

/** All tokens of a user share one limit, all of an installation too. */
function keyOf(credential: Credential): string {
  if (credential.kind === 'anonymous') return 'anonymous';
  if (credential.kind === 'app') return `app ${credential.app.id}`;
  if (credential.kind === 'installation') return `installation ${credential.installation.id}`;
  return `user ${credential.user.id}`;
}

function headersOf({ used, resetAtMs }: Window, limit: number): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(Math.max(0, limit - used)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(Math.ceil(resetAtMs / 1000)),
    'x-ratelimit-resource': 'core',
  };
}
