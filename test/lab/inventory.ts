/**
 * What really is there of one installation, asked of docker, nft, ip, HAProxy and NATS themselves, not of our records.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Host } from './host.ts';

const run = promisify(execFile);

export interface Inventory {
  /** `slot version state` of each container, in order. */
  readonly containers: readonly string[];
  readonly addresses: readonly string[];
  /** Addresses that HAProxy would send to, or still drains, over all backends. */
  readonly servers: readonly string[];
  /** Addresses in the packet filter's namespace map. */
  readonly members: readonly string[];
  /** Interfaces on the bridge that lead into a container. */
  readonly links: number;
}

/** Reads everything at once. */
export async function readInventory(host: Host): Promise<Inventory> {
  const [containers, servers, members, links] = await Promise.all([
    readContainers(host),
    readServers(host),
    readMembers(host),
    readLinks(host),
  ]);
  return {
    containers: containers.map((it) => `${it.slot} ${it.version} ${it.state}`).toSorted(),
    addresses: containers.flatMap((it) => (it.address === '' ? [] : [it.address])).toSorted(),
    servers,
    members,
    links,
  };
}

interface ContainerInfo {
  readonly id: string;
  readonly namespace: string;
  readonly slot: string;
  readonly version: string;
  readonly state: string;
  readonly address: string;
  /** When it was last started, as the engine says it. */
  readonly startedAt: string;
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Labels: Record<string, string>; readonly Env: readonly string[] };
  readonly State: { readonly Status: string; readonly StartedAt: string };
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}

/** Containers of the installation, jobs left out unless asked for. */
export async function readContainers(host: Host, withJobs = false): Promise<ContainerInfo[]> {
  const filter = `label=slipway.installation=${host.installation.id}`;
  const engine = ['-H', `unix://${host.installation.dockerSocket}`];
  const { stdout } = await run('docker', [...engine, 'ps', '--all', '--quiet', '--no-trunc', '--filter', filter]);
  const ids = stdout.split('\n').filter((it) => it !== '');
  if (ids.length === 0) return [];
  const inspected = await run('docker', [...engine, 'inspect', ...ids], { maxBuffer: 64 * 2 ** 20 }).catch(() => null);
  // One went away between the two questions: ask again.
  if (inspected === null) return await readContainers(host, withJobs);
  return (JSON.parse(inspected.stdout) as Inspected[])
    .filter((it) => withJobs || it.Config.Labels['slipway.job'] === undefined)
    .map((it) => ({
      id: it.Id,
      namespace: it.Config.Labels['slipway.namespace'] ?? '?',
      slot: it.Config.Labels['slipway.slot'] ?? '?',
      version: (it.Config.Env.find((entry) => entry.startsWith('VERSION=')) ?? '').slice('VERSION='.length),
      state: it.State.Status,
      address: Object.values(it.NetworkSettings.Networks)[0]?.IPAddress ?? '',
      startedAt: it.State.StartedAt,
    }));
}

/** `show servers state` of HAProxy. Source: HAProxy management guide. */
async function readServers(host: Host): Promise<string[]> {
  const socket = join(host.stateDir, 'gateway/master.sock');
  // HAProxy may be starting just now; then nothing is known of it.
  const text = await ask(socket, '@1 show servers state\n').catch(() => '');
  const rows = text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    return fields.length > 10 && !line.startsWith('#') ? [fields[4] ?? ''] : [];
  });
  return [...new Set(rows.filter((it) => /^\d+\.\d+\.\d+\.\d+$/.test(it) && it.startsWith('10.210.')))].toSorted();
}

async function ask(path: string, command: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ path, allowHalfOpen: true }, () => socket.end(command));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

async function readMembers(host: Host): Promise<string[]> {
  const { stdout } = await run('nft', ['--json', 'list', 'table', 'bridge', `slipway_${host.installation.id}`]);
  const prefix = `10.210.${host.installation.subnetIndex}.`;
  const found = [...stdout.matchAll(/"(10\.210\.\d+\.\d+)"/g)].map((it) => it[1] ?? '');
  return [
    ...new Set(found.filter((it) => it.startsWith(prefix) && it !== `${prefix}1` && it !== `${prefix}0`)),
  ].toSorted();
}

/** One whose other end is still on the machine connects nobody: dockerd was killed before it gave that end to a container. */
async function readLinks(host: Host): Promise<number> {
  const shown = await run('ip', ['-json', 'link', 'show', 'master', host.installation.bridge]).catch(() => null);
  const links = JSON.parse(shown?.stdout.trim() || '[]') as { readonly link_netnsid?: number }[];
  return links.filter((it) => it.link_netnsid !== undefined).length;
}
