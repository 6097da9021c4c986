/** Readiness: what probes and states of an instance add up to. Pure; times are epoch milliseconds. */
import type { Readiness } from '../schemas/service.ts';

/** An instance without a readiness probe is ready once it has run this long without ending. */
export const SETTLE_MS = 500;

/** Until the first success probes follow each other at least this fast, and the first ones faster. */
const EAGER_INTERVAL_MS = 250;
const FIRST_INTERVAL_MS = 20;

/** Out of routing, it is looked at no more slowly than this, so that it is back soon. */
const RETURN_INTERVAL_MS = 1000;

/**
 * `undecided`: ran before we did, and no probe has said anything yet; what is routed to stays as it is until then.
 * `starting`: not ready yet. `unready`: was ready, but is not any more.
 */
export interface Health {
  readonly phase: 'undecided' | 'starting' | 'ready' | 'unready';
  /** When the phase began. */
  readonly since: number;
  readonly failures: number;
  readonly lastProbe: string | null;
}

/** Of an instance that is seen for the first time. `adopted`: it ran before this agent did. */
export function firstHealth(adopted: boolean, startedAt: number): Health {
  return { phase: adopted ? 'undecided' : 'starting', since: startedAt, failures: 0, lastProbe: null };
}

/** After one more probe. */
export function afterProbe(
  health: Health,
  result: { readonly ok: boolean; readonly text: string },
  readiness: Pick<Readiness, 'retries'>,
  now: number,
): Health {
  const said = { ...health, lastProbe: result.text };
  if (result.ok) return { ...said, failures: 0, phase: 'ready', since: health.phase === 'ready' ? health.since : now };
  const failures = health.failures + 1;
  const out = failures >= readiness.retries && (health.phase === 'ready' || health.phase === 'undecided');
  return out ? { ...said, failures, phase: 'unready', since: now } : { ...said, failures };
}

/** How long after the end of a probe the next one begins. */
export function nextProbeInMs(health: Health, readiness: Pick<Readiness, 'intervalMs'>): number {
  if (health.phase === 'ready') return readiness.intervalMs;
  const eager = Math.min(EAGER_INTERVAL_MS, FIRST_INTERVAL_MS * 2 ** Math.min(10, Math.max(0, health.failures - 1)));
  const limit = health.phase === 'unready' ? RETURN_INTERVAL_MS : eager;
  return Math.min(readiness.intervalMs, limit);
}

/** Without a probe: ready after having run for the settling time. */
export function settled(health: Health, startedAt: number, now: number): Health {
  if (health.phase === 'ready' || now - startedAt < SETTLE_MS) return health;
  return { ...health, phase: 'ready', since: now };
}

/** Whether it has been unready for so long that it should be restarted. */
export function isStuck(health: Health, readiness: Readiness | null, startedAt: number, now: number): boolean {
  if (readiness === null || readiness.livenessTimeoutMs === null) return false;
  if (health.phase !== 'unready' && health.phase !== 'starting') return false;
  const from = health.phase === 'unready' ? health.since : startedAt + readiness.startPeriodMs;
  return now - from >= readiness.livenessTimeoutMs;
}
