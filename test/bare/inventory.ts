/** What there is in the bare host, and what of it an installation left behind. */
import { CLONE } from './clone.ts';
import type { BareHost } from './host.ts';

export interface Inventory {
  /** Name, id and start of each. */
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
  readonly tables: readonly string[];
  readonly links: readonly string[];
  readonly processes: readonly string[];
  /** Entries of the state directory. */
  readonly state: readonly string[];
}

/** Reads it with the engine, nft, ip and /proc, never from records of Slipway's. */
export async function readInventory(host: BareHost): Promise<Inventory> {
  return JSON.parse(await host.run(['node', `${CLONE}/test/bare/inside.mjs`])) as Inventory;
}

/** What a machine has with nothing but Docker on it. */
const EXPECTED: Readonly<Record<keyof Inventory, RegExp>> = {
  containers: /^$/,
  networks: /^(?:bridge|host|none)$/,
  volumes: /^$/,
  images: /^$/,
  tables: /^table (?:ip|ip6) (?:nat|filter|raw|mangle)$/,
  links: /^(?:lo|eth0|docker0|ifb\d+|tunl0|sit0)$/,
  processes: /^(?:\S*\/)?(?:dockerd|containerd|bash|sleep|docker-init)\b/,
  state: /^$/,
};

/** Everything that was not there before the first start; empty: nothing is left. */
export function leftovers(inventory: Inventory): string[] {
  return Object.entries(EXPECTED).flatMap(([kind, expected]) =>
    inventory[kind as keyof Inventory].filter((it) => !expected.test(it)).map((it) => `${kind}: ${it}`),
  );
}
