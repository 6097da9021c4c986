/** What one revision of the fleet repository says of every namespace, and what is wrong with it. Pure. */
import type { Problem } from '../schemas/problem.ts';
import type { Desired, DesiredService } from '../schemas/service.ts';
import type { Settings } from '../schemas/settings.ts';
import { groupFiles } from './manifest/files.ts';
import { loadNamespaces } from './manifest/load.ts';
import type { NamespaceLock } from './manifest/lock.ts';
import { parseSettings } from './manifest/settings.ts';
import type { SourceState } from './source/state.ts';

export interface FleetManifests {
  readonly revision: string;
  /** null: slipway.toml itself has problems, so nothing of the revision can be used. */
  readonly settings: Settings | null;
  readonly desired: readonly Desired[];
  /** Seed jobs by namespace; they are in no `desired`, for they run in forks only. */
  readonly seeds: ReadonlyMap<string, DesiredService>;
  /** Present but not usable: neither deployed nor removed. */
  readonly invalid: ReadonlySet<string>;
  readonly problems: readonly Problem[];
  /** Settings that are in order but have no effect yet; they stop nothing. */
  readonly notices: readonly Problem[];
  /** Lock files by namespace; what they pin is in `desired`. Absent: none. */
  readonly locks?: ReadonlyMap<string, NamespaceLock>;
}

/** Reads the manifests of a revision; never throws for what somebody committed. */
export function readFleet(state: Extract<SourceState, { kind: 'ok' | 'invalid' }>): FleetManifests {
  const { revision } = state;
  const nothing = { revision, settings: null, desired: [], seeds: new Map(), invalid: new Set<string>(), notices: [] };
  if (state.kind === 'invalid') return { ...nothing, problems: state.problems };
  const { settings, problems, notices } = parseSettings(state.settingsFile);
  if (settings === null) return { ...nothing, problems, notices };
  const loaded = loadNamespaces(state.files, settings);
  const refused = namespacesOf(state.problems, settings);
  return {
    revision,
    settings,
    desired: loaded.desired.filter((it) => !refused.has(it.namespace)),
    seeds: loaded.seeds,
    invalid: new Set([...loaded.invalid, ...refused]),
    problems: [...state.problems, ...loaded.problems],
    notices: [...notices, ...loaded.notices],
    locks: loaded.locks,
  };
}

/** Namespaces that a refused file (a symbolic link, one too large) belongs to. */
function namespacesOf(problems: readonly Problem[], settings: Settings): Set<string> {
  const files = problems.map((it) => ({ path: it.file, bytes: new Uint8Array() }));
  return new Set(groupFiles(files, settings.source.manifests).namespaces.map((it) => it.namespace));
}
