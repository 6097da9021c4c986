/** The network of containers: bridge, packet filter and resolver. */
import { access } from 'node:fs/promises';
import { servedDigest } from '../../agent/dns/probe.ts';
import { findResolver } from '../../agent/dns/resolver-process.ts';
import { resolverFiles } from '../../agent/dns/resolver-record.ts';
import { FILTER_FAMILIES, filterTable } from '../../agent/network/filter-rules.ts';
import { overlayNetwork } from '../../agent/network/network.ts';
import { createPacketFilter } from '../../agent/network/packet-filter.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok, reasonOf, skip } from './finding.ts';

const AGAIN = 'the agent sets it up again within 15 s: `slipway up --detach` when it does not run';
const RESOLVER_MS = 1_000;

export async function checkBridge({ installation, engine }: InstallationDeps, signal: AbortSignal): Promise<Finding[]> {
  const { name, bridge, subnet } = overlayNetwork(installation);
  const link = await access(`/sys/class/net/${bridge}`).then(
    () => true,
    () => false,
  );
  if (!link) return [fail('bridge', `the bridge ${bridge} is missing`, AGAIN)];
  const networks = await engine.listNetworks({}, signal).catch(() => null);
  if (networks === null) return [skip('bridge', `${bridge} is there; Docker, which has its network, does not answer`)];
  if (!networks.some((it) => it.name === name)) return [fail('bridge', `Docker has no network ${name}`, AGAIN)];
  return [ok('bridge', `${bridge}, ${subnet}`)];
}

export async function checkFilter({ installation }: InstallationDeps): Promise<Finding[]> {
  const table = filterTable(installation.id);
  try {
    const tables = await createPacketFilter().tables();
    const missing = FILTER_FAMILIES.filter((it) => !tables.has(`${it} ${table}`));
    if (missing.length === 0) return [ok('packet filter', `nftables ${table}`)];
    return [
      fail(
        'packet filter',
        `the nftables table ${table} is missing (${missing.join(', ')}): namespaces reach each other`,
        AGAIN,
      ),
    ];
  } catch (error) {
    return [
      fail(
        'packet filter',
        reasonOf(error),
        'run it as root; install nftables if it is missing (`apt-get install -y nftables`)',
      ),
    ];
  }
}

export async function checkResolver({ installation, paths }: InstallationDeps): Promise<Finding[]> {
  const { gatewayAddress } = overlayNetwork(installation);
  const running = await findResolver(paths.dns);
  const { log } = resolverFiles(paths.dns);
  if (running === null) return [fail('resolver', `does not run; ${log} says why`, AGAIN)];
  const digest = await servedDigest(gatewayAddress, running.port, RESOLVER_MS);
  if (digest === null) {
    const why = running.problem ?? `${log} says more`;
    return [
      fail(
        'resolver',
        `runs (pid ${running.pid}) but does not answer on ${gatewayAddress}: ${why}`,
        `\`kill ${running.pid}\`: the agent starts it anew`,
      ),
    ];
  }
  return [ok('resolver', `answers on ${gatewayAddress} (pid ${running.pid})`)];
}
