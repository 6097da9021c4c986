/** Follow: every state of the source becomes what the loop wants, an event, or nothing at all. */

import type { Logger } from '../schemas/logger.ts';
import { problemText } from '../schemas/problem.ts';
import type { Desired } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import { type FleetManifests, readFleet } from './fleet-manifests.ts';
import type { Loop } from './loop.ts';
import { renamesIn } from './rename.ts';
import type { SourceState } from './source/state.ts';

export interface FollowDeps {
  readonly store: Store;
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  /** Told about every state, for `up` to print. */
  readonly onState?: (text: string) => void;
}

/** Takes states of the source one after another; remembers only what git said last. */
export function createFollower(deps: FollowDeps): (state: SourceState) => Promise<void> {
  const last = new Map<string, Desired>();

  async function say(kind: string, namespace: string | null, message: string): Promise<void> {
    deps.onState?.(message);
    deps.log.info({ kind, namespace }, message);
    await deps.store.events.publish({
      at: isoNow(deps.clock),
      kind,
      namespace,
      deploy: null,
      machine: null,
      actor: deps.actor,
      message,
    });
  }

  async function want(fleet: FleetManifests): Promise<void> {
    if (fleet.settings === null) return;
    const { revision } = fleet;
    const maxRemovePercent = fleet.settings.prune.maxPercent;
    const gone = await disappeared(fleet);
    const appeared = await neverReleased(
      deps.store,
      fleet.desired.filter((it) => !last.has(it.namespace)),
    );
    const renames = renamesIn({ appeared, disappeared: gone.flatMap((it) => last.get(it) ?? []) });
    for (const desired of fleet.desired) {
      const from = renames.get(desired.namespace);
      if (from !== undefined) {
        await say(
          'source.rename',
          desired.namespace,
          `${desired.namespace} has exactly the services of ${from}, which is gone from git: a rename does not move data, so neither is touched. Deploy ${desired.namespace} by hand, then remove ${from}`,
        );
        continue;
      }
      last.set(desired.namespace, desired);
      deps.loop.want({ namespace: desired.namespace, desired, revision, maxRemovePercent });
    }
    const renamed = new Set(renames.values());
    for (const namespace of gone) {
      if (!renamed.has(namespace)) deps.loop.want({ namespace, desired: null, revision, maxRemovePercent });
    }
  }

  /** Namespaces that git manages and that the revision no longer has in any form. */
  async function disappeared(fleet: FleetManifests): Promise<string[]> {
    const present = new Set([...fleet.desired.map((it) => it.namespace), ...fleet.invalid]);
    const names = (await deps.store.log.namespaces()).filter((it) => !present.has(it));
    const live = await Promise.all(names.map((it) => deps.store.log.live(it)));
    return live.flatMap((it) => (it?.managedBy === 'git' ? [it.namespace] : []));
  }

  return async (state) => {
    switch (state.kind) {
      case 'unavailable':
        return await say(
          'source.unavailable',
          null,
          `${state.why}. Nothing is removed for it; what runs keeps running`,
        );
      case 'rewound':
        return await say('source.rewound', null, state.why);
      case 'ok':
      case 'invalid': {
        const fleet = readFleet(state);
        const { author, subject } = state.commit;
        await say(
          'source.revision',
          null,
          `${fleet.revision.slice(0, 10)} "${subject.slice(0, 80)}" by ${author.slice(0, 60)}`,
        );
        for (const problem of fleet.problems.slice(0, 50)) await say('source.invalid', null, problemText(problem));
        return await want(fleet);
      }
    }
  };
}

async function neverReleased(store: Store, desired: readonly Desired[]): Promise<Desired[]> {
  const tips = await Promise.all(desired.map((it) => store.log.tip(it.namespace)));
  return desired.filter((_, i) => tips[i] === 0);
}
