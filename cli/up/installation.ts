/** The installation record: made once, kept for ever; who this is, which bridge, which ports. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createEngine } from '../../agent/docker/engine.ts';
import { networkConfig, overlayNetwork } from '../../agent/network/network.ts';
import { pickNetwork } from '../../agent/network/pick.ts';
import { takenNetworks } from '../../agent/network/taken.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
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

/** As many installations may start together on one machine. */
const MAX_ATTEMPTS = 10;

/**
 * Reads the installation, or makes it. Options that are given replace what was recorded.
 *
 * @returns the record, and what a person should know about how it was chosen
 */
export async function ensureInstallation(
  paths: StatePaths,
  options: InstallationOptions,
): Promise<{ installation: Installation; notes: string[] }> {
  if (!existsSync(paths.installation)) return await makeInstallation(paths, options);
  const present = Installation.parse(JSON.parse(readFileSync(paths.installation, 'utf8')));
  const installation: Installation = {
    ...present,
    ...(options.natsUrl === undefined ? {} : { natsUrl: options.natsUrl }),
    ...(options.httpPort === undefined ? {} : { httpPort: options.httpPort }),
  };
  if (JSON.stringify(installation) !== JSON.stringify(present)) await write(paths, installation);
  return { installation, notes: [] };
}

async function makeInstallation(
  paths: StatePaths,
  options: InstallationOptions,
): Promise<{ installation: Installation; notes: string[] }> {
  await mkdir(paths.root, { recursive: true, mode: 0o755 });
  const http =
    options.httpPort === undefined
      ? await pickHttpPort(await options.wishedHttpPort())
      : { port: options.httpPort, note: null };
  const installation = await withNetwork(paths, {
    id: randomBytes(4).toString('hex'),
    machine: machineName(hostname()),
    httpPort: http.port,
    natsUrl: options.natsUrl ?? null,
    dockerSocket: options.dockerSocket,
  });
  return { installation, notes: http.note === null ? [] : [http.note] };
}

/**
 * Records the installation with a network of its own. The network is made at once: who of several that start together
 * picked the same one first, only the engine can tell. The record comes before, so that `slipway down` finds it.
 */
async function withNetwork(
  paths: StatePaths,
  others: Omit<Installation, 'bridge' | 'subnetIndex'>,
): Promise<Installation> {
  const engine = createEngine({ socketPath: others.dockerSocket });
  for (let attempt = 1; ; attempt++) {
    const installation = { ...others, ...pickNetwork(await takenNetworks(engine)) };
    await write(paths, installation);
    try {
      await engine.createNetwork(networkConfig(installation.id, overlayNetwork(installation)));
      return installation;
    } catch (error) {
      if (!isSlipwayError(error, 'ENGINE_FAILED') || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function write(paths: StatePaths, installation: Installation): Promise<void> {
  await writeDurable(paths.installation, `${JSON.stringify(installation, null, 2)}\n`, 0o644);
}

/** The host's name in the alphabet of names; `machine` when nothing is left of it. */
function machineName(host: string): string {
  const name = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? 'machine' : name;
}
