/** Instances: one container a row, made, started, stopped and removed under its slot's lock. Every call is an ensure. */
import { SlipwayError } from '../schemas/errors.ts';
import type { SlotRow } from '../schemas/release.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import type { Creator } from './creator.ts';
import { chosen } from './desired.ts';
import { statusOf } from './docker/errors.ts';
import type { Engine } from './docker/port.ts';
import { endpointId, hostnameOf, instanceKey, instanceLabels, instanceName, LABEL } from './identity.ts';
import type { KeyedLocks, Turn } from './locks.ts';
import type { Gateway } from './ports.ts';
import { createBell, type Subscribe } from './waiting.ts';
import type { Seen, World } from './world.ts';

/** When nobody knows the spec of a container any more. */
const DEFAULT_GRACE_MS = 10_000;
const MIN_DRAIN_MS = 30_000;
const MAX_DRAIN_MS = 300_000;

/** Throws when the work is not wanted any more; asked again under the slot's lock, just before something changes. */
export type Allowed = () => void;

export interface Instances {
  /** The container exists; it may never have been started. */
  ensureCreated(namespace: string, row: SlotRow, spec: ServiceSpec, allowed: Allowed): Promise<Seen>;
  /** The container exists, has its name, and was started. */
  ensureRunning(namespace: string, row: SlotRow, spec: ServiceSpec, allowed: Allowed): Promise<Seen>;
  /** Nothing of the row runs; its container is kept. */
  ensureStopped(namespace: string, row: SlotRow, allowed: Allowed): Promise<void>;
  /** Stopped and started again. */
  restart(namespace: string, row: SlotRow, spec: ServiceSpec, allowed: Allowed): Promise<void>;
  /** Another container takes the place of what there is, and was started. */
  replace(namespace: string, row: SlotRow, spec: ServiceSpec, allowed: Allowed): Promise<void>;
  /** Nothing of the row exists. */
  ensureGone(namespace: string, row: SlotRow): Promise<void>;
  /** Out of routing, its sessions over or their time up, stopped and removed. */
  discard(container: Seen, allowed: Allowed, drain: 'drain' | 'at once'): Promise<void>;
  /** Ids of containers that get no new requests. */
  draining(): ReadonlySet<string>;
  /** Rings when `draining` changes. */
  readonly subscribe: Subscribe;
}

export interface InstancesDeps {
  readonly engine: Pick<Engine, 'list' | 'start' | 'stop' | 'remove' | 'rename' | 'unpause'>;
  readonly world: Pick<World, 'look'>;
  readonly creator: Creator;
  readonly gateway: Pick<Gateway, 'drain'>;
  readonly installation: string;
  readonly spec: (digest: string) => ServiceSpec | null;
  readonly locks: KeyedLocks;
  /** At most four container starts at a time. */
  readonly startLimit: Turn;
  /** Ends when the agent does. */
  readonly lifetime: AbortSignal;
}

export function createInstances(deps: InstancesDeps): Instances {
  const { engine, world, creator, installation, locks, startLimit, lifetime } = deps;
  const draining = new Set<string>();
  const bell = createBell();

  function locked<T>(namespace: string, slot: string, work: () => Promise<T>): Promise<T> {
    return locks.run(`${namespace}/${slot}`, work, lifetime);
  }

  /** From the engine, not from what was seen last: a stale view would make a second container. */
  async function find(namespace: string, row: SlotRow): Promise<Seen[]> {
    const labels = { [LABEL.installation]: installation, [LABEL.namespace]: namespace, [LABEL.slot]: row.slot };
    const listed = await engine.list(labels, lifetime);
    const seen = await Promise.all(listed.map((it) => world.look(it.id, lifetime)));
    return seen.filter((it) => it !== null && instanceKey(it.identity) === instanceKey(row)) as Seen[];
  }

  async function created(namespace: string, row: SlotRow, spec: ServiceSpec): Promise<Seen> {
    const name = instanceName(installation, namespace, row);
    const found = chosen(await find(namespace, row));
    if (found !== undefined && found.state !== 'dead') {
      if (found.name !== name) await engine.rename(found.id, name, lifetime);
      return found;
    }
    if (found !== undefined) await engine.remove(found.id, lifetime);
    const id = await creator.create({
      name,
      namespace,
      spec,
      labels: instanceLabels(installation, namespace, row),
      hostname: hostnameOf(row.slot),
      job: false,
    });
    return await mustSee(id);
  }

  async function running(namespace: string, row: SlotRow, spec: ServiceSpec): Promise<Seen> {
    const container = await created(namespace, row, spec);
    if (container.state === 'paused') await engine.unpause(container.id, lifetime);
    else if (container.state !== 'running' && container.state !== 'restarting') {
      await creator.prepare(namespace, spec);
      await start(container.id);
    }
    return await mustSee(container.id);
  }

  async function start(id: string): Promise<void> {
    try {
      await engine.start(id, lifetime);
    } catch (error) {
      // Its network was removed behind our back, or Docker lost it: made again, it has the same name.
      if (statusOf(error) !== 404) throw error;
      await creator.refreshOverlay();
      await engine.start(id, lifetime);
    }
  }

  async function mustSee(id: string): Promise<Seen> {
    const seen = await world.look(id, lifetime);
    if (seen === null) throw new SlipwayError('ENGINE_FAILED', 'a container was removed while it was being started');
    return seen;
  }

  function graceOf(container: Seen): number {
    return deps.spec(container.identity.spec)?.stopGracePeriodMs ?? DEFAULT_GRACE_MS;
  }

  async function stopped(container: Seen): Promise<void> {
    // A paused process cannot take SIGTERM.
    if (container.state === 'paused') await engine.unpause(container.id, lifetime);
    if (container.state !== 'exited' && container.state !== 'created') {
      await engine.stop(container.id, graceOf(container), lifetime);
    }
  }

  async function drained(container: Seen): Promise<void> {
    draining.add(container.id);
    bell.ring();
    const deadlineMs = Math.min(MAX_DRAIN_MS, Math.max(MIN_DRAIN_MS, graceOf(container)));
    await deps.gateway.drain(endpointId(container.id), deadlineMs, lifetime);
  }

  async function removed(container: Seen): Promise<void> {
    await stopped(container);
    await engine.remove(container.id, lifetime);
    await world.look(container.id, lifetime);
  }

  return {
    ensureCreated: (namespace, row, spec, allowed) =>
      locked(namespace, row.slot, async () => {
        allowed();
        return await startLimit(() => created(namespace, row, spec), lifetime);
      }),
    ensureRunning: (namespace, row, spec, allowed) =>
      locked(namespace, row.slot, async () => {
        allowed();
        return await startLimit(() => running(namespace, row, spec), lifetime);
      }),
    ensureStopped: (namespace, row, allowed) =>
      locked(namespace, row.slot, async () => {
        for (const it of await find(namespace, row)) {
          allowed();
          await stopped(it);
          await world.look(it.id, lifetime);
        }
      }),
    restart: (namespace, row, spec, allowed) =>
      locked(namespace, row.slot, async () => {
        for (const it of await find(namespace, row)) {
          allowed();
          await stopped(it);
        }
        await startLimit(() => running(namespace, row, spec), lifetime);
      }),
    replace: (namespace, row, spec, allowed) =>
      locked(namespace, row.slot, async () => {
        for (const it of await find(namespace, row)) {
          allowed();
          await removed(it);
        }
        await startLimit(() => running(namespace, row, spec), lifetime);
      }),
    ensureGone: (namespace, row) =>
      locked(namespace, row.slot, async () => {
        for (const it of await find(namespace, row)) await removed(it);
      }),
    discard: async (container, allowed, drain) => {
      const { namespace, slot } = container.identity;
      try {
        allowed();
        // Outside the lock: a drain may take minutes, and the slot's new instance must be healed meanwhile.
        if (drain === 'drain') await drained(container);
        await locked(namespace, slot, async () => {
          allowed();
          const now = await world.look(container.id, lifetime);
          if (now !== null) await removed(now);
        });
      } finally {
        if (draining.delete(container.id)) bell.ring();
      }
    },
    draining: () => draining,
    subscribe: bell.subscribe,
  };
}
