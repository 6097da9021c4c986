/** Reads which interfaces and addresses this machine uses, for `pickNetwork`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SlipwayError } from '../../schemas/errors.ts';
import { BRIDGE_OPTION, type EngineNetworks } from './network.ts';
import { parseAddresses, parseRoutes, type TakenNetworks } from './pick.ts';

const TIMEOUT_MS = 10_000;

/** Interfaces, addresses and routes of the kernel (ip(8)), and the networks of the engine, also unused ones. */
export async function takenNetworks(engine: Pick<EngineNetworks, 'listNetworks'>): Promise<TakenNetworks> {
  const [addresses, routes, networks] = await Promise.all([
    ip(['-j', 'addr']),
    ip(['-j', '-4', 'route', 'show', 'table', 'all']),
    engine.listNetworks({}),
  ]);
  const { interfaces, blocks } = parseAddresses(addresses);
  return {
    interfaces: [...interfaces, ...networks.flatMap((it) => it.options[BRIDGE_OPTION] ?? [])],
    blocks: [...blocks, ...parseRoutes(routes), ...networks.flatMap((it) => it.subnet ?? [])],
  };
}

async function ip(argv: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ip', argv, { timeout: TIMEOUT_MS });
    return stdout.trim() || '[]';
  } catch (error) {
    throw new SlipwayError('SETUP_FAILED', `ip ${argv.join(' ')} failed (package iproute2).`, {}, error);
  }
}
