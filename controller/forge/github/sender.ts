/**
 * How a request is carried through: it ends with its signal, waits for rate limits that end soon, gets a new installation
 * token once, and fails with an error of ours. Nothing that a credential is in leaves here, not even in a `cause`.
 */
import { setMaxListeners } from 'node:events';
import { isSlipwayError, SlipwayError } from '../../../schemas/errors.ts';
import type { Logger } from '../../../schemas/logger.ts';
import type { Credentials } from '../credentials.ts';
import { createDiscreet } from './discreet.ts';
import { failureOf, limitEnd, limited, readFailed } from './failures.ts';
import type { GithubLimits } from './limits.ts';
import { type Access, openSession, type Session } from './octokit.ts';
import { quoted } from './texts.ts';
import { createTransport } from './transport.ts';

/** Time as a dependency. */
export interface ForgeClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface SenderArgs {
  /** `https://api.github.com`, or `https://ghe.example.com/api/v3`. */
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly credentials: Credentials;
  readonly clock: ForgeClock;
  readonly log: Logger;
  readonly throttle: boolean;
  readonly limits: GithubLimits;
}

export interface Sender {
  /** `GitHub`, or `GitHub at ghe.example.com`. */
  readonly forge: string;
  /** Runs with a session, again where that can help. `route` is for people. */
  attempt<T>(route: string, signal: AbortSignal, run: (session: Session) => Promise<T>): Promise<T>;
  access(signal: AbortSignal): Promise<Access>;
}

/** How often a limit is waited for in one call. */
const MAX_WAITS = 2;

export function createSender(args: SenderArgs): Sender {
  const { clock, limits, credentials } = args;
  const host = new URL(args.apiUrl).host;
  const forge = host === 'api.github.com' ? 'GitHub' : `GitHub at ${host}`;
  const credential = credentials.kind === 'token' ? 'SLIPWAY_FORGE_TOKEN' : 'SLIPWAY_GITHUB_APP_KEY_FILE';
  const about = { forge, repository: `${args.owner}/${args.repo}`, credential };
  const discreet = createDiscreet(credentials, credential);
  const transport = createTransport({ timeoutMs: limits.requestTimeoutMs, maxBytes: limits.maxAnswerBytes });
  const say = (message: string) => args.log.debug({ forge }, discreet.redact(quoted(message)));
  let opened: Session | null = null;
  let limitedUntilMs = 0;

  async function open(refresh: boolean): Promise<{ session: Session; access: Access }> {
    opened ??= await openSession({ ...args, fetch: transport, retryMs: limits.retryMs, say });
    const access = await opened.access(refresh);
    discreet.know(access.token);
    return { session: opened, access };
  }

  async function attempt<T>(
    route: string,
    signal: AbortSignal,
    run: (session: Session, access: Access) => Promise<T>,
  ): Promise<T> {
    // Many wait on one signal at once; Node would take that for a leak.
    setMaxListeners(0, signal);
    for (let waits = 0, refresh = false; ; ) {
      await calm(signal);
      try {
        return await untilAborted(signal, async () => {
          const { session, access } = await open(refresh);
          return await run(session, access);
        });
      } catch (error) {
        signal.throwIfAborted();
        if (isSlipwayError(error)) throw error;
        const failed = readFailed(error);
        if (failed === null) throw told(unexpected(error), error);
        const endsAtMs = limitEnd(failed, clock.now());
        if (endsAtMs !== null) {
          limitedUntilMs = Math.max(limitedUntilMs, endsAtMs);
          if (++waits > MAX_WAITS) throw limited(forge, limitedUntilMs);
        } else if (failed.status === 401 && credentials.kind === 'app' && opened !== null && !refresh) {
          refresh = true;
        } else {
          throw told(failureOf(failed, { ...about, route }), error);
        }
      }
    }
  }

  /** While a limit lasts nothing is sent: GitHub bars clients that go on. */
  async function calm(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waitMs = limitedUntilMs - clock.now();
    if (waitMs <= 0) return;
    if (waitMs > limits.longestWaitMs) throw limited(forge, limitedUntilMs);
    await clock.sleep(waitMs, signal).catch(() => signal.throwIfAborted());
  }

  /** Octokit reads keys and makes tokens; what fails there has no status. */
  function unexpected(error: unknown): SlipwayError {
    const why = error instanceof Error ? error.message : 'unknown';
    return new SlipwayError('FORGE_REFUSED', `The credentials in ${credential} cannot be used: ${why}`);
  }

  function told(error: SlipwayError, cause: unknown): SlipwayError {
    const words = cause instanceof Error ? new Error(discreet.redact(cause.message)) : undefined;
    return new SlipwayError(error.code, discreet.redact(error.message), error.details, words);
  }

  return { forge, attempt, access: (signal) => attempt('GET /app', signal, async (_, access) => access) };
}

/** What `run` gives, or the signal's reason as soon as it aborts: requests may still wait in a queue then. */
async function untilAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  let onAbort = () => {};
  const ended = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([run(), ended]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
