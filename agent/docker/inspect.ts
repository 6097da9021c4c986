/** What the Docker Engine answers → our records. Pure. */
import type {
  Container,
  ContainerState,
  ContainerSummary,
  EngineImage,
  EngineInfo,
  EngineNetwork,
  StatsSample,
} from './port.ts';

const STATES: readonly string[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
] satisfies ContainerState[];

/** GET /containers/{id}/json, as far as we read it. */
export interface RawContainer {
  Id: string;
  Name: string;
  Created: string;
  Image: string;
  RestartCount?: number;
  State: { Status: string; ExitCode: number; OOMKilled: boolean; StartedAt: string; FinishedAt: string };
  Config: { Labels?: Record<string, string> | null };
  HostConfig: { NetworkMode?: string | undefined };
  NetworkSettings: { Networks?: Record<string, { IPAddress?: string }> | null };
}

export function container(raw: RawContainer): Container {
  const ended = raw.State.Status === 'exited' || raw.State.Status === 'dead';
  return {
    id: raw.Id,
    name: raw.Name.replace(/^\//, ''),
    labels: raw.Config.Labels ?? {},
    state: containerState(raw.State.Status),
    imageId: raw.Image,
    createdAt: time(raw.Created) ?? 0,
    startedAt: time(raw.State.StartedAt),
    finishedAt: time(raw.State.FinishedAt),
    exitCode: ended || raw.State.Status === 'restarting' ? raw.State.ExitCode : null,
    oomKilled: raw.State.OOMKilled,
    restartCount: raw.RestartCount ?? 0,
    hostNetwork: raw.HostConfig.NetworkMode === 'host',
    addresses: addresses(raw.NetworkSettings.Networks ?? {}),
  };
}

/** GET /containers/json, as far as we read it. */
export interface RawSummary {
  Id: string;
  Names: string[];
  State: string;
  NetworkSettings?: { Networks?: Record<string, { IPAddress?: string }> } | null;
}

export function containerSummary(raw: RawSummary): ContainerSummary {
  const nets = addresses(raw.NetworkSettings?.Networks ?? {});
  return { id: raw.Id, fingerprint: JSON.stringify([raw.State, raw.Names, nets]) };
}

export interface RawInfo {
  ServerVersion: string;
  OSType: string;
  Architecture: string;
  NCPU: number;
  MemTotal: number;
  DockerRootDir: string;
  Driver: string;
}

/** GET /info names architectures as uname does; images name them as Go does. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  i686: '386',
};

export function engineInfo(raw: RawInfo): EngineInfo {
  return {
    version: raw.ServerVersion,
    os: raw.OSType,
    architecture: ARCHITECTURES[raw.Architecture] ?? raw.Architecture,
    cpuMillicores: raw.NCPU * 1000,
    memoryBytes: raw.MemTotal,
    rootDir: raw.DockerRootDir,
    storageDriver: raw.Driver,
  };
}

export interface RawImage {
  Id: string;
  RepoTags?: string[] | null;
  RepoDigests?: string[] | null;
  Os: string;
  Architecture: string;
}

export function engineImage(raw: RawImage): EngineImage {
  return {
    id: raw.Id,
    tags: raw.RepoTags ?? [],
    repoDigests: raw.RepoDigests ?? [],
    os: raw.Os,
    architecture: raw.Architecture,
  };
}

export interface RawNetwork {
  Id: string;
  Name: string;
  Driver: string;
  Labels?: Record<string, string> | null | undefined;
  Options?: Record<string, string> | null | undefined;
  IPAM?: { Config?: { Subnet?: string | undefined; Gateway?: string | undefined }[] | null | undefined } | undefined;
}

export function engineNetwork(raw: RawNetwork): EngineNetwork {
  const pool = raw.IPAM?.Config?.[0];
  return {
    id: raw.Id,
    name: raw.Name,
    driver: raw.Driver,
    labels: raw.Labels ?? {},
    options: raw.Options ?? {},
    subnet: pool?.Subnet ?? null,
    gatewayAddress: pool?.Gateway ?? null,
  };
}

/** One object of GET /containers/{id}/stats. */
export interface RawStats {
  read: string;
  cpu_stats: RawCpu;
  precpu_stats: RawCpu;
  memory_stats?: { usage?: number; limit?: number; stats?: Record<string, number> };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}
interface RawCpu {
  cpu_usage: { total_usage: number };
  system_cpu_usage?: number;
  online_cpus?: number;
}

/** The first object of a stream has none before it: CPU over the last second cannot be told from it. */
export function hasBefore(raw: RawStats): boolean {
  return raw.precpu_stats.system_cpu_usage !== undefined;
}

/** CPU over the last second, memory without the page cache that can be dropped (as `docker stats` counts it). */
export function statsSample(raw: RawStats): StatsSample {
  const used = raw.cpu_stats.cpu_usage.total_usage - raw.precpu_stats.cpu_usage.total_usage;
  const system = (raw.cpu_stats.system_cpu_usage ?? 0) - (raw.precpu_stats.system_cpu_usage ?? 0);
  const cores = raw.cpu_stats.online_cpus ?? 1;
  const memory = raw.memory_stats ?? {};
  const cache = memory.stats?.['total_inactive_file'] ?? memory.stats?.['inactive_file'] ?? 0;
  const nets = Object.values(raw.networks ?? {});
  return {
    at: raw.read,
    cpuMillicores: system > 0 && used > 0 ? Math.round((used / system) * cores * 1000) : 0,
    memoryBytes: Math.max(0, (memory.usage ?? 0) - cache),
    memoryLimitBytes: memory.limit ?? 0,
    rxBytes: nets.reduce((sum, it) => sum + it.rx_bytes, 0),
    txBytes: nets.reduce((sum, it) => sum + it.tx_bytes, 0),
  };
}

function containerState(status: string): ContainerState {
  if (!STATES.includes(status)) throw new Error(`the engine reports a container state that we do not know: ${status}`);
  return status as ContainerState;
}

function addresses(networks: Record<string, { IPAddress?: string }>): Record<string, string> {
  const found = Object.entries(networks).flatMap(([name, it]) => (it.IPAddress ? [[name, it.IPAddress] as const] : []));
  return Object.fromEntries(found);
}

// Go's zero time stands for "never".
function time(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? null : ms;
}
