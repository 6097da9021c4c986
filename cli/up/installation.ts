/** The installation record: made once, kept for ever; who this is, which bridge, which ports. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createEngine } from '../../agent/docker/engine.ts';
import { pickNetwork } from '../../agent/network/pick.ts';
import { takenNetworks } from '../../agent/network/taken.ts';
import { Installation, type StatePaths } from '../../schemas/installation.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { pickHttpPort } from './http-port.ts';

export interface InstallationOptions {
  readonly natsUrl?: string | undefined;
  readonly httpPort?: number | undefined;
  /** Asked only when the installation is made without `httpPort`: the first port to try. */
  readonly wishedHttpPort: () => Promise<number>;
  readonly dockerSocket: string;
}

/**
 * Reads the installation, or makes it. Options that are given replace what was recorded.
 *
 * @returns the record, and what a person should know about how it was chosen
 */
export async function ensureInstallation(
  paths: StatePaths,
  options: InstallationOptions,
): Promise<{ installation: Installation; notes: string[] }> {
  const present = existsSync(paths.installation)
    ? Installation.parse(JSON.parse(readFileSync(paths.installation, 'utf8')))
    : null;
  const made = present === null ? await makeInstallation(paths, options) : { installation: present, notes: [] };
  const installation: Installation = {
    ...made.installation,
    ...(options.natsUrl === undefined ? {} : { natsUrl: options.natsUrl }),
    ...(options.httpPort === undefined ? {} : { httpPort: options.httpPort }),
  };
  if (present === null || JSON.stringify(installation) !== JSON.stringify(present)) {
    await writeDurable(paths.installation, `${JSON.stringify(installation, null, 2)}\n`, 0o644);
  }
  return { installation, notes: made.notes };
}

async function makeInstallation(
  paths: StatePaths,
  options: InstallationOptions,
): Promise<{ installation: Installation; notes: string[] }> {
  await mkdir(paths.root, { recursive: true, mode: 0o755 });
  const id = randomBytes(4).toString('hex');
  const engine = createEngine({ socketPath: options.dockerSocket });
  const { bridge, subnetIndex } = pickNetwork(await takenNetworks(engine));
  const http =
    options.httpPort === undefined
      ? await pickHttpPort(await options.wishedHttpPort())
      : { port: options.httpPort, note: null };
  return {
    installation: {
      id,
      machine: machineName(hostname()),
      subnetIndex,
      bridge,
      httpPort: http.port,
      natsUrl: options.natsUrl ?? null,
      dockerSocket: options.dockerSocket,
    },
    notes: http.note === null ? [] : [http.note],
  };
}

/** The host's name in the alphabet of names; `machine` when nothing is left of it. */
export function machineName(host: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? 'machine' : name;
}
