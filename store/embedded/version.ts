/** Which nats-server is installed, and whether it will do. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import semver from 'semver';
import { SlipwayError } from '../../schemas/errors.ts';
import { OLDEST_SERVER } from '../nats/connection.ts';

const run = promisify(execFile);

/** Its version. @throws SETUP_FAILED when it is missing, does not say, or is too old. */
export async function serverVersion(binary: string): Promise<string> {
  let said: string;
  try {
    said = (await run(binary, ['--version'], { timeout: 10_000 })).stdout;
  } catch (error) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `${binary} cannot be run: install nats-server ${OLDEST_SERVER} or later (Debian and Ubuntu: apt-get install nats-server)`,
      {},
      error,
    );
  }
  const version = parseVersion(said);
  if (version === null) throw new SlipwayError('SETUP_FAILED', `${binary} --version does not say a version`);
  if (semver.lt(version, OLDEST_SERVER)) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `nats-server ${version} is too old: Slipway needs ${OLDEST_SERVER} or later`,
    );
  }
  return version;
}

/** The version in `nats-server: v2.9.10`; null when there is none. */
export function parseVersion(text: string): string | null {
  return semver.valid(/v?(\d+\.\d+\.\d+\S*)/.exec(text)?.[1] ?? null);
}
