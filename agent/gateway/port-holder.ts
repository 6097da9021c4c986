/** Which process listens on a port of this machine. Source: proc(5), /proc/net/tcp. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** `nginx (pid 812)`; null: nobody listens, or it cannot be told (another user's process, another pid namespace). */
export async function portHolder(port: number): Promise<string | null> {
  return (await portHolders(new Set([port]))).get(port) ?? null;
}

/** Port → holder, for those that can be told. */
export async function portHolders(ports: ReadonlySet<number>): Promise<Map<number, string>> {
  const tables = await Promise.all([readText('/proc/net/tcp'), readText('/proc/net/tcp6')]);
  const portOf = new Map(
    tables
      .flatMap(parseListening)
      .filter((it) => ports.has(it.port))
      .map((it) => [`socket:[${it.inode}]`, it.port]),
  );
  const holders = new Map<number, string>();
  if (portOf.size === 0) return holders;
  for (const pid of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const port = portOf.get(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
      if (port === undefined || holders.has(port)) continue;
      holders.set(port, `${(await readText(`/proc/${pid}/comm`)).trim() || 'a process'} (pid ${pid})`);
    }
  }
  return holders;
}

/** Listening sockets of /proc/net/tcp or tcp6. */
export function parseListening(table: string): { port: number; inode: string }[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((it) => it[3] === '0A')
    .map((it) => ({ port: Number.parseInt(it[1]?.split(':')[1] ?? '', 16), inode: it[9] ?? '' }));
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}
