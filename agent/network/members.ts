/** Which namespace an address of the bridge belongs to. Pure; the packet filter and the resolver decide by the same answer. */
import { NamespaceName } from '../../schemas/names.ts';
import type { RoutingTable } from '../../schemas/routing.ts';
import type { OverlayNetwork } from '../ports.ts';
import { contains, parseBlock } from './subnet.ts';

/**
 * Address → namespace, in code-unit order of namespace, then by address.
 *
 * Only addresses that containers of this bridge can have. One that two namespaces claim belongs to neither: whoever
 * holds it is cut off rather than let into the wrong namespace.
 */
export function namespaceByAddress(
  members: RoutingTable['members'],
  network: Pick<OverlayNetwork, 'subnet' | 'gatewayAddress'>,
): ReadonlyMap<string, string> {
  const block = parseBlock(network.subnet);
  const claims = new Map<string, Set<string>>();
  for (const { address, namespace } of members) {
    const usable = block !== null && contains(block, address) && address !== network.gatewayAddress;
    if (!usable || !NamespaceName.safeParse(namespace).success) continue;
    claims.set(address, (claims.get(address) ?? new Set()).add(namespace));
  }
  const sole = [...claims].flatMap(([address, namespaces]): [string, string][] => {
    const [first] = namespaces;
    return first !== undefined && namespaces.size === 1 ? [[address, first]] : [];
  });
  return new Map(sole.toSorted((a, b) => compare(a[1], b[1]) || compareAddress(a[0], b[0])));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** All addresses share their first three numbers: they lie in one /24. */
function compareAddress(a: string, b: string): number {
  return Number(a.slice(a.lastIndexOf('.') + 1)) - Number(b.slice(b.lastIndexOf('.') + 1));
}
