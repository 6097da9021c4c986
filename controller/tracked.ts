/** The tracked repository: which one it is, and its branch read once. The loop follows it; commands read it when called. */
import { z } from 'zod';
import { SlipwayError } from '../schemas/errors.ts';
import type { StatePaths } from '../schemas/installation.ts';
import { type Logger, silentLogger } from '../schemas/logger.ts';
import { problemText } from '../schemas/problem.ts';
import type { Bucket } from '../store/port.ts';
import { systemClock } from './execute/clock.ts';
import { type FleetManifests, readFleet } from './fleet-manifests.ts';
import { forgeFromEnv } from './forge/from-env.ts';
import { openRepository, type Repository } from './git/repository.ts';
import { parseSettings } from './manifest/settings.ts';
import { readRevision } from './source/read-revision.ts';

/** Which repository is followed; kept in the `cluster` bucket so that every command sees the same. */
export const Tracked = z.strictObject({ location: z.string(), branch: z.string() });
export type Tracked = z.infer<typeof Tracked>;

const KEY = ['tracked'];

/** null: none was named yet. */
export async function readTracked(cluster: Bucket): Promise<Tracked | null> {
  const entry = await cluster.get(KEY);
  return entry === null ? null : Tracked.parse(entry.value);
}

export async function saveTracked(cluster: Bucket, tracked: Tracked): Promise<void> {
  await cluster.put(KEY, tracked);
}

/**
 * Opens it; the token for https comes from SLIPWAY_GIT_TOKEN or is the forge's, never from a record. @throws USAGE when
 * the forge's credentials are half given
 */
export function openTracked(args: {
  readonly tracked: Tracked;
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}): Repository {
  const { env, tracked } = args;
  const own = env['SLIPWAY_GIT_TOKEN'];
  const forge = forgeFromEnv({ env, location: tracked.location, clock: systemClock, log: silentLogger });
  const token = forge?.gitToken ?? (own === undefined ? null : async () => own);
  return openRepository({
    ...tracked,
    mirrorDir: `${args.paths.controller}/mirrors`,
    log: args.log,
    ...(token === null ? {} : { token }),
  });
}

/** What the branch says now. @throws SOURCE_UNAVAILABLE, SETTINGS_INVALID */
export async function readTip(
  repository: Repository,
  signal: AbortSignal,
): Promise<FleetManifests & { settings: NonNullable<FleetManifests['settings']> }> {
  const revision = await repository.tip(signal);
  const fleet = readFleet(await readRevision({ repository, revision, manifestsFolder, signal }));
  if (fleet.settings !== null) return { ...fleet, settings: fleet.settings };
  throw new SlipwayError('SETTINGS_INVALID', fleet.problems.map(problemText).join('\n'), { problems: fleet.problems });
}

/** Where slipway.toml says the manifests lie. @throws when it has problems: the revision is invalid then */
export function manifestsFolder(settingsFile: Uint8Array | null): string {
  return settingsOf(settingsFile).source.manifests;
}

/** Whether slipway.toml allows a rewound branch. */
export function allowRewind(settingsFile: Uint8Array | null): boolean {
  return settingsOf(settingsFile).source.allowRewind;
}

function settingsOf(settingsFile: Uint8Array | null) {
  const { settings, problems } = parseSettings(settingsFile);
  if (settings === null) throw new SlipwayError('SETTINGS_INVALID', problems.map(problemText).join('\n'), { problems });
  return settings;
}
