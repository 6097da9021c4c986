/** Which installation a command is about. */
import { existsSync, readFileSync } from 'node:fs';
import { SlipwayError } from '../schemas/errors.ts';
import { Installation, type StatePaths, statePaths } from '../schemas/installation.ts';

const DEFAULT_STATE_DIR = '/var/lib/slipway';

/** `--state-dir`, else SLIPWAY_STATE_DIR, else /var/lib/slipway. */
export function pathsOf(options: { readonly stateDir?: string }): StatePaths {
  return statePaths(options.stateDir ?? process.env['SLIPWAY_STATE_DIR'] ?? DEFAULT_STATE_DIR);
}

/** @throws SETUP_FAILED when there is no installation in the state directory */
export function readInstallation(paths: StatePaths): Installation {
  if (!existsSync(paths.installation)) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `there is no Slipway installation in ${paths.root}: \`slipway up\` makes one; --state-dir or SLIPWAY_STATE_DIR names another place`,
    );
  }
  return Installation.parse(JSON.parse(readFileSync(paths.installation, 'utf8')));
}
