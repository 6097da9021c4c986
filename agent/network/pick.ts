/** Which bridge name and which /24 a new installation gets. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';
import { type Block, overlaps, parseBlock } from './subnet.ts';

/** What the machine uses already: names of interfaces, and blocks (`10.0.0.0/8`) of addresses, routes and networks. */
export interface TakenNetworks {
  readonly interfaces: readonly string[];
  readonly blocks: readonly string[];
}

const INDEXES = Array.from({ length: 256 }, (_, index) => index);

/** A route at least this wide (10.0.0.0/8 of a company, 0.0.0.0/1 of a VPN) may lie around ours: the narrower one wins. */
const WIDE_PREFIX_LENGTH = 15;

/**
 * The first free `slip<N>` and the first free third number of 10.210.N.0/24. A /24 that nothing overlaps is preferred
 * to one that lies inside a wide route.
 *
 * @throws SETUP_FAILED when every /24 is taken
 */
export function pickNetwork(taken: TakenNetworks): { readonly bridge: string; readonly subnetIndex: number } {
  const blocks = taken.blocks.flatMap((text) => parseBlock(text) ?? []);
  const narrow = blocks.filter((it) => it.prefixLength > WIDE_PREFIX_LENGTH);
  const subnetIndex = firstFree(blocks) ?? firstFree(narrow);
  if (subnetIndex === undefined) {
    throw new SlipwayError(
      'SETUP_FAILED',
      'Every network of 10.210.0.0/16 is in use on this machine; free a /24 of it.',
    );
  }
  const bridge = INDEXES.map((index) => `slip${index}`).find((it) => !taken.interfaces.includes(it));
  if (bridge === undefined) throw new SlipwayError('SETUP_FAILED', 'Bridges slip0 to slip255 all exist; remove one.');
  return { bridge, subnetIndex };
}

function firstFree(blocks: readonly Block[]): number | undefined {
  return INDEXES.find((index) => {
    const wanted = { first: ((10 * 256 + 210) * 256 + index) * 256, prefixLength: 24 };
    return !blocks.some((it) => overlaps(wanted, it));
  });
}

/** Names and blocks in the answer of `ip -j addr`. */
export function parseAddresses(json: string): TakenNetworks {
  const links = JSON.parse(json) as readonly {
    ifname?: string;
    addr_info?: readonly { family?: string; local?: string; prefixlen?: number }[];
  }[];
  return {
    interfaces: links.flatMap((it) => it.ifname ?? []),
    blocks: links.flatMap(({ addr_info: addresses = [] }) =>
      addresses.flatMap((it) => (it.family === 'inet' && it.local ? [`${it.local}/${it.prefixlen ?? 32}`] : [])),
    ),
  };
}

/** Blocks in the answer of `ip -j route`; the default route is none. */
export function parseRoutes(json: string): readonly string[] {
  const routes = JSON.parse(json) as readonly { dst?: string }[];
  return routes.flatMap(({ dst }) => (dst === undefined || dst === 'default' ? [] : [dst]));
}
