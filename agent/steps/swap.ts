/** swap: stop-first replacement; its record is on the disk before the first container is touched. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Follower } from '../follow.ts';
import type { Journal } from '../journal.ts';
import { type Swap, withCandidates, withSwap } from '../journal-records.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Swaps } from '../swaps.ts';
import { refuseClosed } from './closed.ts';
import type { Handler } from './handler.ts';

export interface SwapDeps {
  readonly vault: Pick<Vault, 'keep'>;
  readonly journal: Journal;
  readonly follower: Pick<Follower, 'follow'>;
  readonly swaps: Pick<Swaps, 'carryOn'>;
  readonly now: () => number;
}

export function swapStep({ vault, journal, follower, swaps, now }: SwapDeps): Handler<'swap'> {
  return async ({ stops, starts, deadlineMs }, { namespace, deploy, id, progress, signal }) => {
    const known = journal.view(namespace).swaps.some((it) => it.deploy === deploy && it.id === id);
    if (!known) {
      // To start the old ones again, on our own if need be, we must know how.
      if (stops.some((it) => journal.spec(it.spec) === null)) await follower.follow(namespace, signal);
      const unknown = stops.find((it) => journal.spec(it.spec) === null);
      if (unknown !== undefined)
        throw new SlipwayError('STEP_FAILED', `${unknown.slot} cannot be stopped: its spec is not known here`);
      await vault.keep(
        namespace,
        starts.flatMap((it) => it.secrets ?? []),
      );
      await journal.keepSpecs(Object.fromEntries(starts.map((it) => [it.row.spec, it.spec])));
      const rows = starts.map((it) => it.row);
      const swap: Swap = {
        deploy,
        id,
        state: 'open',
        stops,
        starts: rows,
        deadlineAt: now() + deadlineMs,
        failure: null,
      };
      refuseClosed(journal, namespace, deploy, signal)();
      await journal.change(namespace, 'swap.open', (ops) =>
        withSwap(withCandidates(ops, deploy, rows, new Date(now()).toISOString()), swap),
      );
    }
    progress(`swapping ${starts.map((it) => it.row.slot).join(', ')}`);
    await swaps.carryOn(namespace, { deploy, id }, signal);
    return {};
  };
}
