/**
 * The packet filter of one installation as an nft script. Pure: same members, same bytes.
 *
 * Two tables say the same thing, because a frame can take two ways between containers: switched by the bridge (family
 * `bridge`; family `ip` sees it only where br_netfilter is on) or routed by the host, when a container addresses the
 * frame to the gateway. Matches are by address, not by bridge name: kernels without NFT_BRIDGE_META lack the latter.
 * A dropped packet is final in any table, an accepted one is not, so Docker's own rules need no looking at.
 */
import type { RoutingTable } from '../../schemas/routing.ts';
import type { OverlayNetwork } from '../ports.ts';
import { namespaceByAddress } from './members.ts';

/** All that overlays of any machine may use (containers and tunnel ends): traffic to it keeps its source address. */
const OVERLAY_RANGE = '10.210.0.0/15';

/** The families that hold a table of an installation. */
export const FILTER_FAMILIES = ['bridge', 'ip'] as const;

/** Name of the tables of an installation. */
export function filterTable(installationId: string): string {
  return `slipway_${installationId}`;
}

/** Script that removes the tables, also where there are none. */
export function renderRemoval(installationId: string): string {
  // "delete" of a missing table fails the whole transaction; declaring it first makes it exist.
  return FILTER_FAMILIES.map((family) => {
    const table = `table ${family} ${filterTable(installationId)}`;
    return `${table}\ndelete ${table}\n`;
  }).join('');
}

/** Script that replaces both tables in one transaction. An address that is not in `members` reaches no container. */
export function renderFilter(
  installationId: string,
  network: OverlayNetwork,
  members: RoutingTable['members'],
): string {
  const between = betweenContainers(namespaceByAddress(members, network));
  const bodies = { bridge: bridgeChains(network), ip: ipChains(network) } as const;
  const tables = FILTER_FAMILIES.map(
    (family) => `table ${family} ${filterTable(installationId)} {\n${between}${bodies[family]}}\n`,
  );
  return renderRemoval(installationId) + tables.join('');
}

/** Chain `between`: returns never; accepts inside a namespace, drops everything else. */
function betweenContainers(namespaces: ReadonlyMap<string, string>): string {
  const addresses = [...namespaces.keys()];
  const sets = [...new Set(namespaces.values())].map((namespace) => {
    const own = addresses.filter((it) => namespaces.get(it) === namespace);
    return `  set ns_${namespace} {
    type ipv4_addr
    elements = { ${own.join(', ')} }
  }
  chain ns_${namespace} {
    ip daddr @ns_${namespace} accept
  }
`;
  });
  const jumps = [...namespaces].map(([address, namespace]) => `${address} : jump ns_${namespace}`);
  const elements = jumps.length === 0 ? '' : `    elements = { ${jumps.join(', ')} }\n`;
  return `${sets.join('')}  map members {
    type ipv4_addr : verdict
${elements}  }
  chain between {
    ip saddr vmap @members
    drop
  }
`;
}

/** Frames that the bridge hands from one container to another. What the host sends and gets does not pass here. */
function bridgeChains(network: OverlayNetwork): string {
  return `  chain forward {
    type filter hook forward priority filter; policy accept;
    arp saddr ip ${network.gatewayAddress} drop
    ip saddr ${network.subnet} goto between
    ip daddr ${network.subnet} goto between
  }
`;
}

/** Packets that the host routes: between containers, in from elsewhere (only what Docker published), and out. */
function ipChains(network: OverlayNetwork): string {
  const bridge = JSON.stringify(network.bridge);
  return `  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname ${bridge} ip saddr != ${network.subnet} drop
    iifname ${bridge} oifname ${bridge} goto between
    oifname ${bridge} ct state established,related accept
    oifname ${bridge} ct status dnat accept
    oifname ${bridge} drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname != { "lo", ${bridge} } ip daddr ${network.gatewayAddress} drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != ${bridge} ip saddr ${network.subnet} ip daddr != ${OVERLAY_RANGE} masquerade
  }
`;
}
