/** The `nft` program (nft(8)): scripts go in on stdin, each is one transaction of the kernel. */
import { execFile } from 'node:child_process';
import { SlipwayError } from '../../schemas/errors.ts';

const TIMEOUT_MS = 10_000;

export interface PacketFilter {
  /** Carries the script out: all of it or nothing. */
  run(script: string): Promise<void>;
  /** Tables of the kernel as `<family> <name>`. */
  tables(): Promise<ReadonlySet<string>>;
  /** Name → addresses of the sets of a table; none when there is no such table. */
  sets(family: string, table: string): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** The packet filter of the network namespace that this process runs in. Needs CAP_NET_ADMIN. */
export function createPacketFilter(nftBinary = 'nft'): PacketFilter {
  return {
    async run(script) {
      await nft(nftBinary, ['-f', '-'], script);
    },
    async tables() {
      return parseTables(await nft(nftBinary, ['-j', 'list', 'tables'], ''));
    },
    async sets(family, table) {
      if (!(await this.tables()).has(`${family} ${table}`)) return new Map();
      return parseSets(await nft(nftBinary, ['-j', 'list', 'table', family, table], ''));
    },
  };
}

/** `<family> <name>` of each table in the answer of `nft -j list tables` (libnftables-json(5)). */
function parseTables(json: string): ReadonlySet<string> {
  const { nftables } = JSON.parse(json) as { nftables: readonly { table?: { family: string; name: string } }[] };
  return new Set(nftables.flatMap(({ table }) => (table === undefined ? [] : [`${table.family} ${table.name}`])));
}

/** The sets in the answer of `nft -j list table` (libnftables-json(5)). */
function parseSets(json: string): ReadonlyMap<string, readonly string[]> {
  const { nftables } = JSON.parse(json) as {
    nftables: readonly { set?: { name: string; elem?: readonly unknown[] } }[];
  };
  return new Map(
    nftables.flatMap(({ set }) => (set === undefined ? [] : [[set.name, (set.elem ?? []).map(String)] as const])),
  );
}

async function nft(binary: string, argv: readonly string[], script: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile(binary, argv, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(failure(binary, error, stderr));
    });
    // A child that is gone before it has read everything: its exit tells why.
    child.stdin?.on('error', () => {});
    child.stdin?.end(script);
  });
}

function failure(binary: string, error: Error & { code?: unknown }, stderr: string): SlipwayError {
  if (error.code === 'ENOENT') {
    return new SlipwayError('SETUP_FAILED', `${binary} is not installed (package nftables).`, {}, error);
  }
  const reason = stderr.trim().split('\n')[0] || error.message;
  return new SlipwayError('NETWORK_FAILED', `The packet filter was not changed: ${reason}`, { stderr }, error);
}
