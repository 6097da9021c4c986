/**
 * Reads what a pull request would make of the fleet: its head from git, merged into the tracked branch, with the settings
 * of the tracked branch and never its own.
 */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Pull } from '../../schemas/forge.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import type { Settings } from '../../schemas/settings.ts';
import { type FleetManifests, readFleet } from '../fleet-manifests.ts';
import type { Repository } from '../git/repository.ts';
import type { MergeResult, Workshop } from '../git/workshop.ts';
import { parseSettings } from '../manifest/settings.ts';
import { readRevision } from '../source/read-revision.ts';
import type { SourceState } from '../source/state.ts';

/** The tracked branch as it was read last. */
export interface TrackedTip {
  readonly revision: Revision;
  readonly settings: Settings;
  readonly fleet: FleetManifests;
  readonly settingsFile: Uint8Array | null;
}

export interface PullReading {
  readonly head: Revision;
  readonly merge: Exclude<MergeResult, { kind: 'merged' }> | MergedReading;
}

interface MergedReading {
  readonly kind: 'merged';
  readonly revision: Revision;
  readonly fleet: FleetManifests;
  /** It changes slipway.toml: what that says holds only after the merge. */
  readonly changesSettings: boolean;
  readonly settingsProblems: readonly Problem[];
}

/** The tip in a state of the source; null: nothing usable is known of the tracked branch. */
export function tipOf(state: SourceState): TrackedTip | null {
  if (state.kind !== 'ok') return null;
  const fleet = readFleet(state);
  if (fleet.settings === null) return null;
  return { revision: state.revision, settings: fleet.settings, fleet, settingsFile: state.settingsFile };
}

/** @throws SOURCE_UNAVAILABLE; FORGE_UNAVAILABLE when git does not have yet what the API says */
export async function readPull(
  deps: { readonly repository: Repository; readonly workshop: Workshop },
  args: { readonly pull: Pull; readonly tip: TrackedTip },
  signal: AbortSignal,
): Promise<PullReading> {
  const { pull, tip } = args;
  const head = await deps.workshop.fetchRef(`refs/pull/${pull.number}/head`, signal, pull.head.revision);
  if (head !== pull.head.revision) {
    const has = head === null ? 'nothing' : head.slice(0, 10);
    throw new SlipwayError(
      'FORGE_UNAVAILABLE',
      `pull request ${pull.number} is at ${pull.head.revision.slice(0, 10)}, but git has ${has} yet`,
    );
  }
  const merge = await deps.workshop.merge({ ours: tip.revision, theirs: head }, signal);
  return { head, merge: merge.kind === 'merged' ? await readMerged(deps.repository, merge, tip, signal) : merge };
}

async function readMerged(
  repository: Repository,
  { revision }: { readonly revision: Revision },
  tip: TrackedTip,
  signal: AbortSignal,
): Promise<MergedReading> {
  const { manifests } = tip.settings.source;
  let own: Uint8Array | null = null;
  const manifestsFolder = (settingsFile: Uint8Array | null) => {
    own = settingsFile;
    return manifests;
  };
  const state = await readRevision({ repository, revision, manifestsFolder, signal });
  const changesSettings = !sameBytes(own, tip.settingsFile);
  const settingsProblems = changesSettings ? parseSettings(own).problems : [];
  const fleet = readFleet(state.kind === 'ok' ? { ...state, settingsFile: tip.settingsFile } : state);
  return { kind: 'merged', revision, fleet, changesSettings, settingsProblems };
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
