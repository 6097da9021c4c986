/** The sweeper: containers of this installation that nothing names any more go, after a while, and only when we are sure. */
import type { Logger } from '../schemas/logger.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import type { Follower } from './follow.ts';
import type { Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import type { NamespaceView } from './journal-records.ts';
import { holdMs, unnamed } from './retire.ts';
import type { Seen, World } from './world.ts';

const GRACE_MS = 60_000;

export interface SweepInput {
  readonly views: readonly NamespaceView[];
  readonly machine: string;
  readonly containers: readonly Seen[];
  readonly spec: (digest: string) => ServiceSpec | null;
  readonly sure: (namespace: string) => boolean;
}

/**
 * Orphans and how long each may stay. None in a namespace whose log was not read from a live connection, which has no
 * entry at all (a new store knows nothing: that is not "empty"), or in which a deploy is open.
 */
export function orphans(input: SweepInput): { container: Seen; graceMs: number }[] {
  return input.views
    .filter((view) => input.sure(view.namespace) && view.tip > 0 && Object.keys(view.open).length === 0)
    .flatMap((view) =>
      unnamed({ view, machine: input.machine, containers: input.containers, spec: input.spec }).map((container) => ({
        container,
        graceMs: GRACE_MS + holdMs(view.live, container.identity.service, input.spec),
      })),
    );
}

export interface SweeperDeps {
  readonly journal: Journal;
  readonly world: Pick<World, 'containers' | 'connected'>;
  readonly instances: Pick<Instances, 'discard'>;
  readonly follower: Pick<Follower, 'isSure'>;
  readonly machine: string;
  readonly now: () => number;
  readonly log: Logger;
  readonly onSwept: (container: Seen) => void;
}

export interface Sweeper {
  /** Notes orphans, and begins to remove those whose time is up. */
  pass(): void;
}

export function createSweeper(deps: SweeperDeps): Sweeper {
  const { journal, world, instances, follower, machine, now, log, onSwept } = deps;
  const since = new Map<string, number>();
  const busy = new Set<string>();

  const list = () =>
    orphans({
      views: journal.namespaces().map((it) => journal.view(it)),
      machine,
      containers: world.containers() ?? [],
      spec: (digest) => journal.spec(digest),
      sure: (namespace) => follower.isSure(namespace),
    });

  async function sweep(container: Seen): Promise<void> {
    const allowed = () => {
      if (!list().some((it) => it.container.id === container.id)) throw new NamedAgain();
    };
    const { namespace, slot } = container.identity;
    try {
      await instances.discard(container, allowed, 'drain');
      log.info({ namespace, slot, container: container.name }, 'removed an orphan');
      onSwept(container);
    } catch (error) {
      if (!(error instanceof NamedAgain)) log.warn({ err: error, namespace, slot }, 'an orphan could not be removed');
    }
  }

  return {
    pass() {
      if (!world.connected()) return;
      const found = list();
      const ids = new Set(found.map((it) => it.container.id));
      for (const id of since.keys()) if (!ids.has(id)) since.delete(id);
      for (const { container, graceMs } of found) {
        const first = since.get(container.id) ?? now();
        since.set(container.id, first);
        if (now() - first < graceMs || busy.has(container.id)) continue;
        busy.add(container.id);
        void sweep(container).finally(() => busy.delete(container.id));
      }
    },
  };
}

class NamedAgain extends Error {}
