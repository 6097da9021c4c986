/** Follow: every state of the source becomes what the loop wants, an event, or nothing at all. */

import type { Logger } from '../schemas/logger.ts';
import { problemText } from '../schemas/problem.ts';
import type { Desired } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import { type FleetManifests, readFleet } from './fleet-manifests.ts';
import type { Loop } from './loop.ts';
import { renamesIn } from './rename.ts';
import { ruleFor, rulesOf, saveRules } from './rules.ts';
import type { SourceState } from './source/state.ts';
import { type SourceReport, saveSourceReport } from './source-report.ts';

export interface FollowDeps {
  readonly store: Store;
  readonly loop: Loop;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  /** Told about every state, for `up` to print. */
  readonly onState?: (text: string) => void;
}

/** More than a person reads; `slipway validate` has them all. */
const MOST_PROBLEMS = 50;

const NOTHING_KNOWN = {
  unavailable: 'Nothing is removed for it, what is live goes on serving; it is looked at again by itself',
  rewound: 'What is live goes on serving',
} as const;

/** Takes states of the source one after another; remembers only what git said last. */
export function createFollower(deps: FollowDeps): (state: SourceState) => Promise<void> {
  const last = new Map<string, Desired>();

  async function say(kind: string, namespace: string | null, message: string): Promise<void> {
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
    // Last: what could not be recorded is said again later, and nobody wants to read it twice.
    deps.onState?.(message);
  }

  async function report(it: Omit<SourceReport, 'at'>): Promise<void> {
    await saveSourceReport(deps.store.bucket('cluster'), { ...it, at: isoNow(deps.clock) });
  }

  /** A state in which nothing at all is known of what is wanted. */
  async function nothingKnown(state: Extract<SourceState, { kind: 'unavailable' | 'rewound' }>): Promise<void> {
    const { kind, why } = state;
    const revision = kind === 'rewound' ? state.revision : null;
    await report({ kind, revision, messages: [why], invalid: [] });
    await say(`source.${kind}`, null, `${why}. ${NOTHING_KNOWN[kind]}`);
  }

  async function sayProblems({ problems, notices, invalid, settings, revision }: FleetManifests): Promise<void> {
    const messages = problems.slice(0, MOST_PROBLEMS).map(problemText);
    const more = problems.length - messages.length;
    if (more > 0) messages.push(`${more} more problems: \`slipway validate\` in the repository lists them all`);
    const stays = settings === null ? [] : [...invalid].toSorted();
    const kind = problems.length === 0 ? 'ok' : 'invalid';
    await report({ kind, revision, messages, invalid: stays });
    for (const message of messages) await say('source.invalid', null, message);
    const what = settings === null ? 'Nothing of this revision is used' : `Left as it is: ${stays.join(', ')}`;
    if (problems.length > 0 && (settings === null || stays.length > 0))
      await say('source.invalid', null, `${what}; what is live goes on serving. Mend it and commit again`);
    for (const notice of notices) await say('source.notice', null, problemText(notice));
  }

  async function want(fleet: FleetManifests): Promise<void> {
    if (fleet.settings === null) return;
    const { revision } = fleet;
    const managedBy = 'git' as const;
    const rules = rulesOf(fleet.settings);
    await saveRules(deps.store.bucket('cluster'), rules);
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
      deps.loop.want({
        namespace: desired.namespace,
        desired,
        revision,
        managedBy,
        promotedFrom: fleet.locks?.get(desired.namespace)?.promotedFrom ?? undefined,
        ...ruleFor(rules, desired.namespace),
      });
    }
    const renamed = new Set(renames.values());
    for (const namespace of gone) {
      if (!renamed.has(namespace))
        deps.loop.want({ namespace, desired: null, revision, managedBy, ...ruleFor(rules, namespace) });
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
      case 'rewound':
        return await nothingKnown(state);
      case 'ok':
      case 'invalid': {
        const fleet = readFleet(state);
        const { author, subject } = state.commit;
        await say(
          'source.revision',
          null,
          `${fleet.revision.slice(0, 10)} "${subject.slice(0, 80)}" by ${author.slice(0, 60)}`,
        );
        await sayProblems(fleet);
        return await want(fleet);
      }
    }
  };
}

async function neverReleased(store: Store, desired: readonly Desired[]): Promise<Desired[]> {
  const tips = await Promise.all(desired.map((it) => store.log.tip(it.namespace)));
  return desired.filter((_, i) => tips[i] === 0);
}
