/** Whether ports can be had. Looked at before HAProxy binds one, because the kernel's refusal names nobody. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { portHolders } from './port-holder.ts';

export interface PortHolder {
  readonly port: number;
  /** `nginx (pid 812)`, or `another program` when it cannot be told. */
  readonly holder: string;
}

/** Whether the machine has IPv6. */
export async function hasIpv6(): Promise<boolean> {
  return (await readFile('/proc/net/if_inet6', 'utf8').catch(() => '')).trim() !== '';
}

/** The ports that cannot be bound on all addresses, with who has them; in the order asked. */
export async function takenPorts(ports: readonly number[], ipv6: boolean): Promise<PortHolder[]> {
  const taken: number[] = [];
  for (const port of ports) {
    const free = (await canListen(port, '0.0.0.0')) && (!ipv6 || (await canListen(port, '::')));
    if (!free) taken.push(port);
  }
  if (taken.length === 0) return [];
  const holders = await portHolders(new Set(taken));
  return taken.map((port) => ({ port, holder: holders.get(port) ?? 'another program' }));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true, ipv6Only: host === '::' }, () => server.close(() => resolve(true)));
  });
}
