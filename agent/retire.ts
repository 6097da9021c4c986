/** Retiring: what the live release does not name is drained, stopped and removed. */
import type { Release } from '../schemas/release.ts';
import { type ServiceSpec, templateDigest } from '../schemas/service.ts';
import { byInstance, chosen, pendingSwaps } from './desired.ts';
import { instanceKey } from './identity.ts';
import type { Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import type { NamespaceView } from './journal-records.ts';
import type { Seen, World } from './world.ts';

export interface RetireInput {
  readonly view: NamespaceView;
  readonly machine: string;
  readonly containers: readonly Seen[];
  readonly spec: (digest: string) => ServiceSpec | null;
  /** A deploy that is over although the journal still has it open. */
  readonly ended?: string;
}

/**
 * Containers of the namespace that nothing names: no row of the live release, no open deploy, no pending swap. Of jobs
 * the running ones stay, and the ended ones whose template the live release has (people read their logs).
 */
export function unnamed({ view, machine, containers, spec, ended }: RetireInput): Seen[] {
  const rows = [...(view.live?.slots ?? []), ...pendingSwaps(view).flatMap((it) => [...it.stops, ...it.starts])];
  const named = new Set(rows.filter((it) => it.machine === machine).map(instanceKey));
  const held = new Set(Object.keys(view.open).filter((it) => it !== ended));
  const own = containers.filter((it) => it.identity.namespace === view.namespace);
  const jobs = own.filter(({ identity: it, state }) => {
    if (!it.job || state === 'running' || state === 'restarting' || state === 'paused' || held.has(it.deploy))
      return false;
    return jobTemplate(view.live, it.service, spec) !== it.template;
  });
  const instances = [...byInstance(own.filter((it) => !it.identity.job)).values()].flatMap((same) => {
    const one = chosen(same);
    if (one === undefined || held.has(one.identity.deploy)) return [];
    return named.has(instanceKey(one.identity)) ? same.filter((it) => it !== one) : same;
  });
  return [...instances, ...jobs];
}

/** How long a blue-green service keeps the instances that were replaced; 0: not at all. */
export function holdMs(live: Release | null, service: string, spec: RetireInput['spec']): number {
  const digest = live?.services[service];
  const strategy = digest === undefined ? undefined : spec(digest)?.strategy;
  return strategy?.kind === 'blue-green' ? strategy.holdMs : 0;
}

/**
 * What goes when a release has replaced it: everything unnamed but, for a service with a hold, the running instance that
 * filled a released slot last. That one the sweeper takes when its time is up, or the next release that replaces the slot.
 */
export function replaced(input: RetireInput): Seen[] {
  const { live } = input.view;
  const slots = new Set(live?.slots.map((it) => it.slot));
  const gone = unnamed(input);
  const holding = gone.filter(
    ({ identity: it, state }) => state === 'running' && slots.has(it.slot) && holdMs(live, it.service, input.spec) > 0,
  );
  const held = new Map(
    holding.toSorted((a, b) => a.createdAt - b.createdAt).map((it) => [it.identity.slot, it.id] as const),
  );
  return gone.filter((it) => held.get(it.identity.slot) !== it.id);
}

function jobTemplate(live: Release | null, service: string, spec: RetireInput['spec']): string | null {
  const digest = live?.services[service];
  const found = digest === undefined ? null : spec(digest);
  return found === null || !found.job ? null : templateDigest(found);
}

export interface Retirer {
  /** What a hold keeps stays. Gives how many were removed. @throws the first failure, after all were tried. */
  retire(namespace: string, ended?: string): Promise<number>;
}

export interface RetirerDeps {
  readonly journal: Journal;
  readonly world: Pick<World, 'containers' | 'refresh'>;
  readonly instances: Instances;
  readonly machine: string;
}

export function createRetirer({ journal, world, instances, machine }: RetirerDeps): Retirer {
  const list = (namespace: string, ended?: string) =>
    replaced({
      view: journal.view(namespace),
      machine,
      containers: world.containers() ?? [],
      spec: (digest) => journal.spec(digest),
      ...(ended === undefined ? {} : { ended }),
    });

  return {
    async retire(namespace, ended) {
      await world.refresh();
      const gone = list(namespace, ended);
      const stillUnnamed = (id: string) => () => {
        if (!list(namespace, ended).some((it) => it.id === id)) throw new StillNamed();
      };
      const results = await Promise.allSettled(gone.map((it) => instances.discard(it, stillUnnamed(it.id), 'drain')));
      const failed = results.find((it) => it.status === 'rejected' && !(it.reason instanceof StillNamed));
      if (failed?.status === 'rejected') throw failed.reason;
      return results.filter((it) => it.status === 'fulfilled').length;
    },
  };
}

/** Named again while it was draining, or gone already. */
class StillNamed extends Error {}
