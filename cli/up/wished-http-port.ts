/** The port that the fleet's own settings wish for the gateway, read before anything is installed. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseSettings } from '../../controller/manifest/settings.ts';
import { readSettings } from '../../controller/source/read-revision.ts';
import { openTracked } from '../../controller/tracked.ts';
import type { StatePaths } from '../../schemas/installation.ts';
import type { Logger } from '../../schemas/logger.ts';
import { EXAMPLE } from './example.ts';

const DEFAULT_PORT = 80;

export interface WishArgs {
  /** Where the fleet repository lies; undefined: the example is followed. */
  readonly repository: string | undefined;
  readonly branch: string | undefined;
  readonly paths: StatePaths;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * `[gateway] http_port` of slipway.toml on the branch that is followed, 80 when it says nothing.
 *
 * A repository elsewhere is not fetched for it, and one that cannot be read is told of by the controller: 80 then.
 */
export async function wishedHttpPort(args: WishArgs): Promise<number> {
  const { repository, branch = 'main', paths, log, signal } = args;
  if (repository === undefined) {
    return portOf(await readFile(join(EXAMPLE, 'slipway.toml')));
  }
  if (/^https?:\/\//.test(repository)) return DEFAULT_PORT;
  const tracked = { location: resolve(repository), branch };
  try {
    const git = openTracked({ tracked, paths, env: {}, log });
    const file = await readSettings(git, await git.tip(signal));
    return portOf('bytes' in file ? file.bytes : null);
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn(
      { err: error },
      `the settings of ${tracked.location} cannot be read yet: the gateway tries port ${DEFAULT_PORT}`,
    );
    return DEFAULT_PORT;
  }
}

function portOf(settingsFile: Uint8Array | null): number {
  return parseSettings(settingsFile).settings?.gateway.httpPort ?? DEFAULT_PORT;
}
