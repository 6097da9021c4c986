/** The healer: carries out what heal.ts decides, one action a slot at a time, and tells of it. */
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { MachineSnapshot } from '../schemas/observed.ts';
import { desiredInstances } from './desired.ts';
import {
  afterAttempt,
  BACKS_OFF,
  type Backoff,
  type HealAction,
  type HealKind,
  hasRecovered,
  healActions,
} from './heal.ts';
import { instanceKey } from './identity.ts';
import type { Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import type { Prober } from './prober.ts';
import type { World } from './world.ts';

type Drift = MachineSnapshot['drift'][number];

/** Kept for the snapshot. */
const MAX_DRIFT = 50;

const DONE: Record<HealKind, string> = {
  create: 'it was made again',
  replace: 'it was made again',
  start: 'it was started',
  restart: 'it was restarted',
  unpause: 'it goes on',
  rename: 'it has its name again',
};

export interface Healer {
  /** Looks for differences now and begins to mend them. */
  pass(): void;
  /** Attempts that failed because Docker was going away do not count. */
  forgetAttempts(): void;
  /** What was healed lately, newest last. */
  drift(): readonly Drift[];
}

export interface HealerDeps {
  readonly installation: string;
  readonly machine: string;
  readonly journal: Journal;
  readonly world: Pick<World, 'containers' | 'connected'>;
  readonly prober: Pick<Prober, 'health'>;
  readonly instances: Pick<Instances, 'ensureRunning' | 'replace' | 'restart'>;
  readonly now: () => number;
  readonly log: Logger;
  readonly onHealed: (drift: Drift) => void;
  readonly lifetime: AbortSignal;
}

export function createHealer(deps: HealerDeps): Healer {
  const { installation, machine, journal, world, prober, instances, now, log, onHealed, lifetime } = deps;
  const busy = new Set<string>();
  const backoffs = new Map<string, Backoff>();
  /** By container. */
  const failedStarts = new Map<string, number>();
  const healed: Drift[] = [];

  const slotOf = (it: HealAction) => `${it.namespace}/${it.row.slot}`;

  function decide(): HealAction[] {
    const containers = world.containers();
    if (containers === null || !world.connected()) return [];
    return healActions({
      installation,
      desired: journal.namespaces().flatMap((it) => desiredInstances(journal.view(it), machine)),
      containers: containers.filter((it) => !it.identity.job),
      spec: (digest) => journal.spec(digest),
      health: (it) => prober.health(it),
      failedStarts: (id) => failedStarts.get(id) ?? 0,
      now: now(),
    });
  }

  function countStart({ kind, containerId }: HealAction, error: unknown): void {
    if (containerId === null) return;
    if (error === null) failedStarts.delete(containerId);
    else if (kind === 'start' && isSlipwayError(error, 'ENGINE_FAILED'))
      failedStarts.set(containerId, (failedStarts.get(containerId) ?? 0) + 1);
  }

  function forgetRecovered(): void {
    for (const it of world.containers() ?? []) {
      const key = `${it.identity.namespace}/${it.identity.slot}`;
      if (backoffs.has(key) && hasRecovered(prober.health(it), now())) backoffs.delete(key);
    }
  }

  /** Under the slot's lock, with the journal of that moment: the release may have moved on since we decided. */
  function stillDesired({ namespace, row }: HealAction): void {
    lifetime.throwIfAborted();
    const desired = desiredInstances(journal.view(namespace), machine);
    const it = desired.find((one) => instanceKey(one.row) === instanceKey(row));
    if (it === undefined || it.moving) throw new NotDesired();
  }

  async function mend(action: HealAction): Promise<void> {
    const { namespace, row, what, kind } = action;
    const spec = journal.spec(row.spec);
    if (spec === null) return;
    const allowed = () => stillDesired(action);
    try {
      if (kind === 'restart') await instances.restart(namespace, row, spec, allowed);
      else if (kind === 'replace') await instances.replace(namespace, row, spec, allowed);
      else await instances.ensureRunning(namespace, row, spec, allowed);
      countStart(action, null);
      const drift = { at: new Date(now()).toISOString(), namespace, slot: row.slot, what: `${what}; ${DONE[kind]}` };
      healed.push(drift);
      healed.splice(0, healed.length - MAX_DRIFT);
      log.info({ namespace, slot: row.slot }, `drift: ${drift.what}`);
      onHealed(drift);
    } catch (error) {
      if (error instanceof NotDesired || lifetime.aborted) return;
      countStart(action, error);
      log.warn({ err: error, namespace, slot: row.slot }, `could not heal: ${what}`);
    }
  }

  return {
    drift: () => healed,
    forgetAttempts: () => backoffs.clear(),
    pass() {
      forgetRecovered();
      for (const action of decide()) {
        const key = slotOf(action);
        const backoff = backoffs.get(key);
        if (busy.has(key)) continue;
        if (BACKS_OFF[action.kind]) {
          if (backoff !== undefined && now() < backoff.notBefore) continue;
          backoffs.set(key, afterAttempt(backoff, now()));
        }
        busy.add(key);
        void mend(action).finally(() => busy.delete(key));
      }
    },
  };
}

class NotDesired extends Error {}
