/**
 * The engine port: what the agent asks of Docker, in its own words. One adapter (engine.ts), one fake that turns
 * commands into state (test/fakes/engine.ts).
 *
 * Foreign errors become SlipwayError at the adapter: ENGINE_UNAVAILABLE (does not answer), ENGINE_FAILED with
 * `details.status` (it refused), IMAGE_*, REGISTRY_UNAVAILABLE and DISK_FULL for images.
 */
import type { ContainerConfig } from './options.ts';

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** A container as inspected. Times are epoch milliseconds; null: never. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  readonly imageId: string;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** Restarts by the engine's own policy since it was last started. */
  readonly restartCount: number;
  readonly hostNetwork: boolean;
  /** Network name → IPv4 address; empty while it does not run. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** A container as listed: enough to see that an inspection is due. */
export interface ContainerSummary {
  readonly id: string;
  /** Changes whenever state, name or addresses do. */
  readonly fingerprint: string;
}

export interface EngineInfo {
  readonly version: string;
  readonly os: string;
  readonly architecture: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  /** Where it keeps images and containers, on the machine that it runs on. */
  readonly rootDir: string;
  /** `overlay2`, `overlayfs`, `btrfs` … */
  readonly storageDriver: string;
}

export interface EngineImage {
  readonly id: string;
  readonly tags: readonly string[];
  /** `repo@sha256:…` */
  readonly repoDigests: readonly string[];
  readonly os: string;
  readonly architecture: string;
}

export interface RegistryImage {
  readonly digest: string;
  readonly platforms: readonly { readonly os: string; readonly architecture: string }[];
}

/** Credentials as the engine passes them on. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

export interface EngineEvent {
  readonly type: 'container' | 'network' | 'image';
  readonly action: string;
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339, as the engine wrote it. */
  readonly at: string;
  readonly line: string;
}

export interface StatsSample {
  readonly at: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** A command to run in a container for somebody who waits for it. */
export interface InsideOptions {
  readonly argv: readonly string[];
  /** `NAME=value`, added to the container's. */
  readonly env: readonly string[];
  /** null: the user that the container runs as. */
  readonly user: string | null;
  readonly stdin: boolean;
  /** With a terminal there is one output: stdout. */
  readonly terminal: TerminalSize | null;
}

interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A command that runs in a container. It goes on when nobody listens: the engine has no call that ends it. */
export interface Inside {
  /** The exact bytes, in the order they were written; reading slowly slows the command down. Read once. */
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }>;
  /** Resolves when there is room for more. */
  write(bytes: Buffer): Promise<void>;
  endInput(): void;
  resize(size: TerminalSize): Promise<void>;
  /** `pid`: on the machine, null before it runs and after. `exitCode`: null while it runs. */
  state(): Promise<{ readonly pid: number | null; readonly exitCode: number | null }>;
  /** Stops listening. */
  close(): void;
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly subnet: string | null;
  readonly gatewayAddress: string | null;
}

export interface NetworkConfig {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly subnet: string;
  readonly gatewayAddress: string;
}

export interface Engine {
  info(signal?: AbortSignal): Promise<EngineInfo>;
  /** All containers, running or not, that carry every label. */
  list(labels: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<ContainerSummary[]>;
  /** null: no such container. */
  inspect(id: string, signal?: AbortSignal): Promise<Container | null>;
  /** Gives the id. @throws ENGINE_FAILED with status 409 when the name is taken, 404 when the image is missing. */
  create(name: string, config: ContainerConfig, signal?: AbortSignal): Promise<string>;
  /** True also when it runs already. */
  start(id: string, signal?: AbortSignal): Promise<void>;
  /** SIGTERM, and SIGKILL after the grace period. True also when it does not run or does not exist. */
  stop(id: string, gracePeriodMs: number, signal?: AbortSignal): Promise<void>;
  kill(id: string, unixSignal: string, signal?: AbortSignal): Promise<void>;
  /** With its anonymous volumes; kills it when it runs. True also when it does not exist. */
  remove(id: string, signal?: AbortSignal): Promise<void>;
  rename(id: string, name: string, signal?: AbortSignal): Promise<void>;
  unpause(id: string, signal?: AbortSignal): Promise<void>;
  /** Resolves with the exit code once it does not run. */
  wait(id: string, signal?: AbortSignal): Promise<number>;
  exec(
    id: string,
    argv: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Begins a command in a running container. @throws ENGINE_FAILED */
  inside(id: string, options: InsideOptions): Promise<Inside>;
  /** Calls `onLine` for the last `tail` lines, then with `follow` for each new one; resolves at the end of the stream. */
  logs(
    id: string,
    range: { readonly tail: number; readonly follow: boolean },
    onLine: (line: LogLine) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** About one sample a second, until the signal aborts or the container ends. */
  stats(id: string, onSample: (sample: StatsSample) => void, signal?: AbortSignal): Promise<void>;
  /** Calls `onOpen` once events flow; resolves when the stream ends. */
  events(
    labels: Readonly<Record<string, string>>,
    onOpen: () => void,
    onEvent: (event: EngineEvent) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** null: the engine does not have it. `ref`: name, `repo@digest` or id. */
  image(ref: string, signal?: AbortSignal): Promise<EngineImage | null>;
  pull(ref: string, auth: RegistryAuth | null, onProgress: (text: string) => void, signal?: AbortSignal): Promise<void>;
  /** Builds an image from files of a folder (a Dockerfile among them); nothing is pulled for `FROM scratch`. @throws ENGINE_FAILED */
  build(tag: string, context: string, files: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Digest and platforms from the registry, without pulling. */
  distribution(ref: string, auth: RegistryAuth | null, signal?: AbortSignal): Promise<RegistryImage>;
  /** Untags and deletes; false: something still uses it. True also when it does not exist. */
  removeImage(ref: string, signal?: AbortSignal): Promise<boolean>;
  listNetworks(labels: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<EngineNetwork[]>;
  /** A bridge network. @throws ENGINE_FAILED with status 409 when the name is taken, 403 when subnets overlap. */
  createNetwork(config: NetworkConfig, signal?: AbortSignal): Promise<string>;
  /** True also when it does not exist. */
  removeNetwork(id: string, signal?: AbortSignal): Promise<void>;
}
