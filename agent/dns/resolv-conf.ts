/** The machine's own resolvers, from its resolv.conf(5). */
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** glibc asks no more than three. */
const SERVERS_MAX = 3;

/** Addresses of the `nameserver` lines in order, without `except` (ourselves). Pure. */
export function parseResolvConf(text: string, except: string): string[] {
  const addresses = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([keyword, address = '']) => (keyword === 'nameserver' && isIP(address) !== 0 ? [address] : []));
  return [...new Set(addresses)].filter((it) => it !== except).slice(0, SERVERS_MAX);
}

/** Gives the current addresses; the file is looked at again when it is older than `maxAgeMs`, and kept when unreadable. */
export function followResolvConf(path: string, except: string, maxAgeMs = 1000): () => Promise<readonly string[]> {
  let servers: readonly string[] = [];
  let version = '';
  let lookedAt = -Infinity;
  return async () => {
    if (performance.now() - lookedAt < maxAgeMs) return servers;
    lookedAt = performance.now();
    try {
      const { mtimeMs, ino } = await stat(path);
      if (version === `${ino} ${mtimeMs}`) return servers;
      servers = parseResolvConf(await readFile(path, 'utf8'), except);
      version = `${ino} ${mtimeMs}`;
    } catch {
      // The last servers known are better than none.
    }
    return servers;
  };
}
