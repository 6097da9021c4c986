/** The bridge of an installation and the packet filter on it (agent/ports.ts, Network). */
import { access } from 'node:fs/promises';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Installation } from '../../schemas/installation.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { RoutingTable } from '../../schemas/routing.ts';
import type { Engine, EngineNetwork, NetworkConfig } from '../docker/port.ts';
import { LABEL } from '../identity.ts';
import { createLimit } from '../locks.ts';
import type { Network, OverlayNetwork } from '../ports.ts';
import { FILTER_FAMILIES, filterTable, renderFilter, renderRemoval } from './filter-rules.ts';
import { createPacketFilter, type PacketFilter } from './packet-filter.ts';

/** Driver option that names the Linux interface of a network. */
export const BRIDGE_OPTION = 'com.docker.network.bridge.name';

/** What this room asks of the engine. */
export type EngineNetworks = Pick<Engine, 'listNetworks' | 'createNetwork' | 'removeNetwork'>;

export interface NetworkDeps {
  readonly engine: EngineNetworks;
  readonly installation: Pick<Installation, 'id' | 'bridge' | 'subnetIndex'>;
  readonly log: Logger;
  /** The kernel's packet filter; the `nft` program by default. */
  readonly filter?: PacketFilter;
  /** Whether a network interface exists; /sys/class/net by default. */
  readonly linkExists?: (name: string) => Promise<boolean>;
}

/** What the network of an installation is called and which addresses it has. Pure. */
export function overlayNetwork({ id, bridge, subnetIndex }: NetworkDeps['installation']): OverlayNetwork {
  const prefix = `10.210.${subnetIndex}`;
  return { name: `slipway-${id}`, bridge, subnet: `${prefix}.0/24`, gatewayAddress: `${prefix}.1` };
}

/** What the engine is asked to make. Pure. */
export function networkConfig(installationId: string, network: OverlayNetwork): NetworkConfig {
  return {
    name: network.name,
    labels: { [LABEL.installation]: installationId },
    subnet: network.subnet,
    gatewayAddress: network.gatewayAddress,
    options: {
      [BRIDGE_OPTION]: network.bridge,
      // Docker would put its rule above ours again at each of its starts; our own table masquerades instead.
      'com.docker.network.bridge.enable_ip_masquerade': 'false',
      // Docker 28.2 drops what reaches a container by another interface, unless it is named (moby PR 49832).
      'com.docker.network.bridge.trusted_host_interfaces': network.bridge,
    },
  };
}

/** Bridge and packet filter of the machine that this process runs on. Calls are carried out one after another. */
export function createNetwork(deps: NetworkDeps): Network {
  const { engine, installation, log } = deps;
  const filter = deps.filter ?? createPacketFilter();
  const linkExists = deps.linkExists ?? hasLink;
  const network = overlayNetwork(installation);
  let members: RoutingTable['members'] = [];
  const inTurn = turns();

  async function ensureFilter(): Promise<void> {
    const tables = await filter.tables();
    if (FILTER_FAMILIES.every((family) => tables.has(`${family} ${filterTable(installation.id)}`))) return;
    await filter.run(renderFilter(installation.id, network, members));
    log.info({ table: filterTable(installation.id) }, 'packet filter set up');
  }

  async function ensureBridge(): Promise<void> {
    const found = await ours();
    if (found !== undefined && (await linkExists(network.bridge))) return;
    if (found !== undefined) {
      log.warn({ bridge: network.bridge }, 'the bridge is gone although its network is there; making it again');
      await engine.removeNetwork(found.id);
    }
    await engine.createNetwork(networkConfig(installation.id, network));
    log.info({ network: network.name, bridge: network.bridge, subnet: network.subnet }, 'network made');
  }

  /** The network of this installation, if the engine has it as it must be. */
  async function ours(): Promise<EngineNetwork | undefined> {
    const found = (await engine.listNetworks({})).find((it) => it.name === network.name);
    if (found === undefined) return undefined;
    const wrong = mismatch(found, installation.id, network);
    if (wrong === null) return found;
    throw new SlipwayError('NETWORK_FAILED', `Docker network ${network.name} ${wrong}; remove it and try again.`);
  }

  return {
    ensure: () =>
      inTurn(`network ${network.name} (${network.subnet})`, async () => {
        // The filter first: no container may find an open bridge.
        await ensureFilter();
        await ensureBridge();
        return network;
      }),
    isolate: (wanted) =>
      inTurn('packet filter', async () => {
        await filter.run(renderFilter(installation.id, network, wanted));
        members = wanted;
      }),
    remove: () =>
      inTurn(`removal of network ${network.name}`, async () => {
        const found = await ours();
        if (found !== undefined) await engine.removeNetwork(found.id);
        await filter.run(renderRemoval(installation.id));
        members = [];
      }),
  };
}

/** How a network of our name differs from what we make; null when it does not. */
function mismatch(found: EngineNetwork, installationId: string, network: OverlayNetwork): string | null {
  if (found.labels[LABEL.installation] !== installationId) return 'was not made by this installation';
  if (found.subnet !== network.subnet) return `has ${found.subnet} instead of ${network.subnet}`;
  const bridge = found.options[BRIDGE_OPTION];
  return bridge === network.bridge ? null : `is on bridge ${bridge} instead of ${network.bridge}`;
}

/** Runs one piece of work at a time, in order of the calls; what fails for another reason than ours is NETWORK_FAILED. */
function turns() {
  const turn = createLimit(1);
  return async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await turn(work);
    } catch (error) {
      if (isSlipwayError(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new SlipwayError('NETWORK_FAILED', `${what}: ${reason}`, {}, error);
    }
  };
}

async function hasLink(name: string): Promise<boolean> {
  return await access(`/sys/class/net/${name}`).then(
    () => true,
    () => false,
  );
}
