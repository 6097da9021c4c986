/** Healing, the decisions: desired instances × containers → what to do about each difference, and when again. Pure. */

import type { SlotRow } from '../schemas/release.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import { byInstance, chosen, type DesiredInstance } from './desired.ts';
import { instanceKey, instanceName } from './identity.ts';
import { type Health, isStuck } from './readiness.ts';
import type { Seen } from './world.ts';

const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;
/** After so many, another container is made: an engine that died may have lost what it needs to start this one. */
const MAX_FAILED_STARTS = 2;
/** An instance that has been ready this long has recovered: its next trouble is a new one. */
const RECOVERED_MS = 60_000;

export type HealKind = 'create' | 'replace' | 'start' | 'restart' | 'unpause' | 'rename';

export interface HealAction {
  readonly kind: HealKind;
  readonly namespace: string;
  readonly row: SlotRow;
  /** null with `create`. */
  readonly containerId: string | null;
  /** What was found, for people: `its container was missing`. */
  readonly what: string;
}

/** Whether an attempt that fails over and over is spaced out; the others cannot make anything worse. */
export const BACKS_OFF = {
  create: true,
  replace: true,
  start: true,
  restart: true,
  unpause: false,
  rename: false,
} as const satisfies Record<HealKind, boolean>;

export interface HealInput {
  readonly installation: string;
  readonly desired: readonly DesiredInstance[];
  readonly containers: readonly Seen[];
  readonly spec: (digest: string) => ServiceSpec | null;
  readonly health: (container: Seen) => Health | null;
  /** How often in a row the engine refused to start this container. */
  readonly failedStarts: (containerId: string) => number;
  readonly now: number;
}

/** One action at most for each desired instance; those that a swap moves, and those whose spec is unknown, have none. */
export function healActions(input: HealInput): HealAction[] {
  const containers = byInstance(input.containers);
  return input.desired.flatMap((it) => {
    const spec = input.spec(it.row.spec);
    if (it.moving || spec === null) return [];
    const container = chosen(containers.get(`${it.namespace}/${instanceKey(it.row)}`) ?? []);
    const found = difference(input, it, spec, container);
    if (found === null) return [];
    return [{ ...found, namespace: it.namespace, row: it.row, containerId: container?.id ?? null }];
  });
}

type Found = { readonly kind: HealKind; readonly what: string };

function difference(input: HealInput, it: DesiredInstance, spec: ServiceSpec, container?: Seen): Found | null {
  if (container === undefined) return { kind: 'create', what: 'its container was missing' };
  if (container.name !== instanceName(input.installation, it.namespace, it.row))
    return { kind: 'rename', what: `its container was renamed to ${container.name}` };
  switch (container.state) {
    case 'created':
      return startOrReplace(input, container, 'its container had never been started');
    case 'dead':
      return { kind: 'replace', what: 'its container was dead' };
    case 'exited':
      return mayRunAgain(spec, container) ? startOrReplace(input, container, `it had ended ${ended(container)}`) : null;
    case 'paused':
      return { kind: 'unpause', what: 'it was paused' };
    case 'running':
      return isStuck(input.health(container) ?? NEVER_STUCK, spec.readiness, container.startedAt ?? 0, input.now)
        ? { kind: 'restart', what: 'it was not ready for longer than its liveness timeout' }
        : null;
    // The engine is at work on it.
    case 'restarting':
    case 'removing':
      return null;
  }
}

function startOrReplace({ failedStarts }: HealInput, { id }: Seen, what: string): Found {
  if (failedStarts(id) < MAX_FAILED_STARTS) return { kind: 'start', what };
  return { kind: 'replace', what: `${what} and could not be started` };
}

const NEVER_STUCK: Health = { phase: 'undecided', since: 0, failures: 0, lastProbe: null };

function ended(container: Seen): string {
  return container.oomKilled ? 'for lack of memory' : `with exit code ${container.exitCode}`;
}

/** By the restart policy of the spec: `no` means that an end is an end, `on-failure` that success is one. */
export function mayRunAgain(spec: ServiceSpec, container: Pick<Seen, 'exitCode'>): boolean {
  if (spec.template.restart === 'no') return false;
  return spec.template.restart !== 'on-failure' || container.exitCode !== 0;
}

/** Attempts on one slot. */
export interface Backoff {
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly notBefore: number;
}

/** After one more attempt: 1 s, doubling, at most 60 s. */
export function afterAttempt(backoff: Backoff | undefined, now: number): Backoff {
  const attempts = (backoff?.attempts ?? 0) + 1;
  return { attempts, notBefore: now + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempts - 1, 10)) };
}

/** Whether the instance has been well for so long that its attempts are forgotten. */
export function hasRecovered(health: Health | null, now: number): boolean {
  return health?.phase === 'ready' && now - health.since >= RECOVERED_MS;
}
