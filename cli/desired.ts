/** Where a command takes the desired state from: the tracked revision of git, or a manifest on disk. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { loadManifest, loadNamespaces } from '../controller/manifest/load.ts';
import { parseSettings } from '../controller/manifest/settings.ts';
import { type Rules, readRules, ruleFor, rulesOf } from '../controller/rules.ts';
import { openTracked, readTip, readTracked } from '../controller/tracked.ts';
import { SlipwayError } from '../schemas/errors.ts';
import { type Problem, problemText } from '../schemas/problem.ts';
import type { ReleaseRef } from '../schemas/release.ts';
import type { Desired } from '../schemas/service.ts';
import type { Settings } from '../schemas/settings.ts';
import type { Connection } from './connect.ts';
import { type Variables, withVariables } from './variables.ts';

export interface DesiredSource {
  readonly namespace: string;
  /** null: git no longer has the namespace. */
  readonly desired: Desired | null;
  /** null: given by hand. */
  readonly revision: string | null;
  readonly maxRemovePercent: number;
  readonly approvalRequired: boolean;
  /** Whose image digests its lock pins. */
  readonly promotedFrom?: ReleaseRef | undefined;
  /** What of git has no effect, as sentences. */
  readonly notes?: readonly string[];
}

/** What the tracked branch says of one namespace now. @throws SOURCE_UNAVAILABLE, MANIFEST_INVALID, UNKNOWN_NAMESPACE */
export async function desiredFromGit(
  connection: Connection,
  namespace: string,
  signal: AbortSignal,
): Promise<DesiredSource> {
  const fleet = await trackedFleet(connection, signal);
  const rest = { namespace, revision: fleet.revision, ...ruleFor(rulesOf(fleet.settings), namespace) };
  const desired = fleet.desired.find((it) => it.namespace === namespace);
  if (desired !== undefined) {
    const lock = fleet.locks?.get(namespace);
    const notes = fleet.notices.filter((it) => it.file === lock?.path).map(problemText);
    return { ...rest, desired, notes, promotedFrom: lock?.promotedFrom ?? undefined };
  }
  if (fleet.invalid.has(namespace)) throw invalid(fleet.problems);
  const live = await connection.store.log.live(namespace);
  if (live?.managedBy === 'git') return { ...rest, desired: null };
  const known = fleet.desired.map((it) => it.namespace).join(', ');
  throw new SlipwayError(
    'UNKNOWN_NAMESPACE',
    `revision ${fleet.revision.slice(0, 10)} has no namespace ${namespace}; it has ${known || 'none'}`,
  );
}

/** A manifest file, or a folder of them, as the whole of its namespace. Settings are those of the tracked branch. */
export async function desiredFromFile(
  path: string,
  connection: Connection,
  variables: Variables,
): Promise<DesiredSource> {
  const settings = withVariables(await settingsFor(connection), variables);
  const desired = await readManifest(path, settings);
  const { namespace } = desired;
  return { namespace, desired, revision: null, ...(await rulesFor(connection, namespace)) };
}

/**
 * What plans of a namespace are held to, whatever they are made from: as the controller read it where one runs, else as
 * the tracked branch says now; while that cannot be read, as it was last.
 */
export async function rulesFor(connection: Connection, namespace: string): Promise<ReturnType<typeof ruleFor>> {
  const kept = await readRules(connection.store.bucket('cluster'));
  const isFresh = kept !== null && (await connection.controller()) !== null;
  return ruleFor(isFresh ? kept : await rulesNow(connection, kept), namespace);
}

async function rulesNow(connection: Connection, kept: Rules | null): Promise<Rules> {
  if ((await readTracked(connection.store.bucket('cluster'))) === null) return rulesOf(defaultSettings());
  try {
    return rulesOf((await trackedFleet(connection, AbortSignal.timeout(10_000))).settings);
  } catch {
    return kept ?? rulesOf(defaultSettings());
  }
}

async function readManifest(path: string, settings: Settings): Promise<Desired> {
  const info = await stat(path).catch((error: unknown) => {
    throw new SlipwayError('USAGE', `${path} cannot be read: there is no such file or folder`, {}, error);
  });
  if (!info.isDirectory()) {
    const { desired, problems } = loadManifest({ path, bytes: await readFile(path) }, settings);
    if (desired === null) throw invalid(problems);
    return desired;
  }
  const folder = join(settings.source.manifests, basename(resolve(path)));
  const names = (await readdir(path, { withFileTypes: true })).filter((it) => it.isFile()).map((it) => it.name);
  const files = await Promise.all(
    names.map(async (it) => ({ path: join(folder, it), bytes: await readFile(join(path, it)) })),
  );
  const { desired, problems } = loadNamespaces(files, settings);
  const [first] = desired;
  if (first === undefined || problems.length > 0) throw invalid(problems);
  return first;
}

/** What slipway.toml is when there is none. */
export function defaultSettings(): Settings {
  const { settings } = parseSettings(null);
  if (settings === null) throw new Error('the default settings have problems');
  return settings;
}

/** The settings of the tracked branch; the defaults, with a note, when it cannot be read. */
export async function settingsFor(connection: Connection): Promise<Settings> {
  const defaults = defaultSettings();
  if ((await readTracked(connection.store.bucket('cluster'))) === null) return defaults;
  try {
    return (await trackedFleet(connection, AbortSignal.timeout(10_000))).settings;
  } catch (error) {
    connection.output.note(
      `settings of the tracked branch cannot be read (${error instanceof Error ? error.message : String(error)}); the defaults are used`,
    );
    return defaults;
  }
}

/** The settings of the tracked branch and what it says of a namespace; nothing of either when it cannot be read. */
export async function sourceOfForks(
  connection: Connection,
  namespace: string,
): Promise<{
  readonly settings: Settings;
  readonly desired: Desired | null;
  readonly seed: Desired['services'][number] | null;
}> {
  const nothing = { settings: defaultSettings(), desired: null, seed: null };
  if ((await readTracked(connection.store.bucket('cluster'))) === null) return nothing;
  // Without its settings nobody knows what a fork may be.
  const { settings, desired, seeds } = await trackedFleet(connection, AbortSignal.timeout(10_000));
  const found = desired.find((it) => it.namespace === namespace) ?? null;
  return { settings, desired: found, seed: seeds.get(namespace) ?? null };
}

async function trackedFleet(connection: Connection, signal: AbortSignal) {
  const tracked = await readTracked(connection.store.bucket('cluster'));
  if (tracked === null) {
    throw new SlipwayError(
      'SOURCE_UNAVAILABLE',
      'no fleet repository is followed yet: `slipway up --repo PATH` names one',
    );
  }
  const repository = openTracked({ tracked, paths: connection.paths, env: process.env, log: connection.log });
  return await readTip(repository, signal);
}

function invalid(problems: readonly Problem[]): SlipwayError {
  return new SlipwayError('MANIFEST_INVALID', problems.map(problemText).join('\n'), { problems });
}
