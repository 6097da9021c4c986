/**
 * The desk of pull requests: one call looks at one of them, reads everything again from the API and from git, and makes
 * comment, statuses and preview be what they should be now. Calling it twice, late or in another order does no harm.
 */
import type { PullNumber, PullRecord } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import { isoNow } from '../execute/clock.ts';
import type { Deploys } from '../execute/deploys.ts';
import type { Forge } from '../forge/port.ts';
import type { Repository } from '../git/repository.ts';
import type { Workshop } from '../git/workshop.ts';
import type { Loop } from '../loop.ts';
import type { Previews } from '../previews/port.ts';
import type { SourceState } from '../source/state.ts';
import { followedNamespaces } from './after-merge.ts';
import type { AssessDeps } from './assess.ts';
import { lookAtClosed, lookAtMerged } from './ended-pull.ts';
import { lookAtOpen } from './open-pull.ts';
import { type TrackedTip, tipOf } from './read-pull.ts';
import type { PullRecords } from './records.ts';

export interface DeskDeps extends AssessDeps {
  readonly forge: Forge;
  readonly repository: Repository;
  readonly workshop: Workshop;
  readonly records: PullRecords;
  readonly deploys: Deploys;
  readonly previews: Previews;
  readonly loop: Pick<Loop, 'poke'>;
  readonly installation: string;
  readonly log: Logger;
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace?: (point: string) => void;
}

/** With what a pull request is looked at. */
export interface Look {
  readonly tip: TrackedTip;
  /** Image strings are resolved again. */
  readonly refresh: boolean;
  /** Who asked for changes when it was last looked at, by pull request and namespace. */
  readonly asked: Map<string, string>;
}

export interface Desk {
  /** What the tracked branch says now. Gives the pull requests that this may be about. */
  onSource(state: SourceState): Promise<PullNumber[]>;
  /** @throws what may pass: the caller comes again */
  lookAt(number: PullNumber, signal: AbortSignal): Promise<void>;
  /** The next look resolves image strings again. */
  refresh(number: PullNumber): void;
  /** The tracked branch as it was read last; null: not yet. */
  tip(): TrackedTip | null;
  /** Pull requests that are not over and have a comment about one of the namespaces; null: about any. */
  about(namespaces: readonly NamespaceName[] | null): Promise<PullNumber[]>;
  /** All that are not over, after the forge was asked which are open; previews of others end. */
  all(signal: AbortSignal): Promise<PullNumber[]>;
}

const LOOK_AT = { open: lookAtOpen, merged: lookAtMerged, closed: lookAtClosed } as const;

export function createDesk(deps: DeskDeps): Desk {
  const { forge, records, previews } = deps;
  const all = { ...deps, now: () => isoNow(deps.clock) };
  const fresh = new Set<PullNumber>();
  const asked = new Map<string, string>();
  /** Looked at now, or named before the tracked branch was read: nobody else thinks of those without a record. */
  const unfinished = new Set<PullNumber>();
  let tip: TrackedTip | null = null;
  /** Of which the pull requests were given out. */
  let told: Revision | null = null;

  async function notOver(): Promise<PullRecord[]> {
    return (await records.list()).filter((it) => it.state !== 'done');
  }

  async function look(number: PullNumber, at: TrackedTip, signal: AbortSignal): Promise<void> {
    const pull = await forge.getPull(number, signal);
    if (pull !== null) {
      await LOOK_AT[pull.state](all, pull, { tip: at, refresh: fresh.has(number), asked }, signal);
      fresh.delete(number);
      return;
    }
    await previews.end(number, 'the pull request is gone');
    await records.amend(number, (it) => ({ ...it, state: 'done' }));
  }

  return {
    async onSource(state) {
      const next = tipOf(state);
      if (next === null || next.revision === told) return [];
      tip = next;
      const numbers = new Set([...(await notOver()).map((it) => it.number), ...unfinished]);
      told = next.revision;
      return [...numbers];
    },
    async lookAt(number, signal) {
      unfinished.add(number);
      // Looked at again as soon as the tracked branch was read.
      if (tip === null) return;
      try {
        await look(number, tip, signal);
      } finally {
        unfinished.delete(number);
      }
    },
    refresh(number) {
      fresh.add(number);
    },
    tip: () => tip,
    async about(namespaces) {
      const isAbout = (it: PullRecord) =>
        followedNamespaces(it).some((namespace) => namespaces === null || namespaces.includes(namespace));
      return (await notOver()).filter(isAbout).map((it) => it.number);
    },
    async all(signal) {
      const askedAtMs = deps.clock.now();
      const pulls = await forge.listPulls(null, signal);
      const open = pulls.flatMap((it) => (it.state === 'open' ? [it.number] : []));
      await previews.sweep(new Set(open), askedAtMs);
      return [...new Set([...open, ...(await notOver()).map((it) => it.number)])];
    },
  };
}
