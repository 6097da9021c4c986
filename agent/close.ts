/** Closing a deploy that the log has ended: its late steps are refused, and what no release names of it goes. */
import type { Logger } from '../schemas/logger.ts';
import { byInstance, chosen, pendingSwaps } from './desired.ts';
import { instanceKey } from './identity.ts';
import type { Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import { withClosed, withoutOpen } from './journal-records.ts';
import type { SecretsOfSpec } from './secrets/secrets.ts';
import type { RunningSteps } from './steps/running.ts';
import type { Swaps } from './swaps.ts';
import type { VolumeLeftovers } from './volume-leftovers.ts';
import type { World } from './world.ts';

export interface Closer {
  /** The journal must know the entry that ended the deploy. Idempotent; what fails is tried again by the next call. */
  close(namespace: string, deploy: string): Promise<void>;
}

export interface CloserDeps {
  readonly journal: Journal;
  readonly running: RunningSteps;
  readonly swaps: Swaps;
  readonly instances: Instances;
  readonly world: Pick<World, 'containers' | 'refresh'>;
  readonly volumeLeftovers: VolumeLeftovers;
  readonly secrets: Pick<SecretsOfSpec, 'forgetNamespace'>;
  readonly machine: string;
  readonly log: Logger;
}

export function createCloser(deps: CloserDeps): Closer {
  const { journal, running, swaps, instances, world, volumeLeftovers, secrets, machine, log } = deps;

  /** Instances of the deploy that the live release does not name, nor any swap that is still to be settled. */
  function leftovers(namespace: string, deploy: string) {
    const view = journal.view(namespace);
    const kept = [
      ...(view.live?.slots ?? []),
      ...pendingSwaps(view).flatMap((it) => [...it.stops, ...(it.deploy === deploy ? [] : it.starts)]),
    ].filter((it) => it.machine === machine);
    const named = new Set(kept.map(instanceKey));
    const own = (world.containers() ?? []).filter(
      ({ identity: it }) => it.namespace === namespace && it.deploy === deploy && !it.job,
    );
    return [...byInstance(own).values()].flatMap((same) => {
      const one = chosen(same);
      return one !== undefined && named.has(instanceKey(one.identity)) ? same.filter((it) => it !== one) : same;
    });
  }

  return {
    async close(namespace, deploy) {
      const { tip, open } = journal.view(namespace);
      await journal.change(namespace, 'closed', (ops) => withClosed(ops, deploy, open[deploy]?.endedBy ?? tip));
      await running.abort(namespace, deploy);
      await swaps.settle(namespace, deploy);
      await world.refresh();
      const gone = leftovers(namespace, deploy);
      await Promise.all(gone.map((it) => instances.discard(it, () => {}, 'at once')));
      await volumeLeftovers.discard(namespace, deploy);
      await journal.change(namespace, 'open.forget', (ops) => withoutOpen(ops, deploy));
      const after = journal.view(namespace);
      if (after.live === null && Object.keys(after.open).length === 0) await secrets.forgetNamespace(namespace);
      if (gone.length > 0) log.info({ namespace, deploy, count: gone.length }, 'removed what no release names');
    },
  };
}
