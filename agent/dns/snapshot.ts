/** The file between the agent and the resolver: which names and which callers there are. Pure. */
import { createHash } from 'node:crypto';
import type { NameRow, RoutingTable } from '../../schemas/routing.ts';
import { namespaceByAddress } from '../network/members.ts';
import { addressNumber, type Block, contains, parseBlock } from '../network/subnet.ts';
import type { OverlayNetwork } from '../ports.ts';

/** Who asks. `unknown`: on the bridge, but in no namespace (yet). `host`: the machine itself. */
export type Caller =
  | { readonly kind: 'member'; readonly namespace: string }
  | { readonly kind: 'host' }
  | { readonly kind: 'unknown' };

/** What the resolver answers from. */
export interface NameIndex {
  /** Digest of the file. */
  readonly digest: string;
  caller(address: string): Caller;
  /** Addresses of a service; null: there is no such name. */
  addresses(namespace: string, service: string): readonly string[] | null;
}

interface SnapshotFile {
  readonly version: 1;
  readonly subnet: string;
  readonly gatewayAddress: string;
  readonly names: readonly NameRow[];
  /** Address → namespace. */
  readonly members: Readonly<Record<string, string>>;
}

/** Text of the file for a routing table; the same for any order of its rows. */
export function formatSnapshot(table: Pick<RoutingTable, 'names' | 'members'>, network: OverlayNetwork): string {
  const file: SnapshotFile = {
    version: 1,
    subnet: network.subnet,
    gatewayAddress: network.gatewayAddress,
    names: table.names
      .map(({ namespace, service, addresses }) => ({ namespace, service, addresses: addresses.toSorted() }))
      .toSorted((a, b) => compare(key(a.namespace, a.service), key(b.namespace, b.service))),
    members: Object.fromEntries(namespaceByAddress(table.members, network)),
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}

/** Digest by which an agent recognises the snapshot that a resolver answers from. */
export function snapshotDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/**
 * Reads the file.
 *
 * @throws Error that says what is wrong with it
 */
export function parseSnapshot(text: string): NameIndex {
  const file = checked(JSON.parse(text));
  const block = parseBlock(file.subnet);
  if (block === null) throw new Error(`${file.subnet} is no subnet`);
  const members = new Map(Object.entries(file.members));
  const names = new Map(file.names.map((row) => [key(row.namespace, row.service), row.addresses]));
  return {
    digest: snapshotDigest(text),
    caller: (address) => callerOf(address, members, block, file.gatewayAddress),
    addresses: (namespace, service) => names.get(key(namespace, service)) ?? null,
  };
}

/** The index before any file was read: everybody is unknown. */
export function emptyIndex(): NameIndex {
  return { digest: '', caller: () => ({ kind: 'unknown' }), addresses: () => null };
}

function callerOf(address: string, members: ReadonlyMap<string, string>, block: Block, gatewayAddress: string): Caller {
  const namespace = members.get(address);
  if (namespace !== undefined) return { kind: 'member', namespace };
  if (contains(block, address) && address !== gatewayAddress) return { kind: 'unknown' };
  return { kind: 'host' };
}

function checked(value: unknown): SnapshotFile {
  const { version, subnet, gatewayAddress, names, members } = (value ?? {}) as Partial<SnapshotFile>;
  if (version !== 1) throw new Error(`version ${String(version)} is not known`);
  if (typeof subnet !== 'string' || typeof gatewayAddress !== 'string') throw new Error('subnet is missing');
  if (!Array.isArray(names) || !names.every(isNameRow)) throw new Error('names are malformed');
  if (typeof members !== 'object' || members === null) throw new Error('members are missing');
  if (!Object.values(members).every((it) => typeof it === 'string')) throw new Error('members are malformed');
  return { version, subnet, gatewayAddress, names, members };
}

function isNameRow(value: unknown): value is NameRow {
  const { namespace, service, addresses } = (value ?? {}) as Partial<NameRow>;
  if (typeof namespace !== 'string' || typeof service !== 'string' || !Array.isArray(addresses)) return false;
  return addresses.every((it) => typeof it === 'string' && addressNumber(it) !== null);
}

/** No name contains a slash. */
function key(namespace: string, service: string): string {
  return `${namespace}/${service}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
