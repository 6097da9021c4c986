/** What a container is made of: service template → create options of the Docker Engine API. Pure. */
import { fillSecrets, type SecretName } from '../../schemas/secret.ts';
import type { Mount, PublishedPort, ServiceTemplate } from '../../schemas/service.ts';
import { imageText } from '../../schemas/service.ts';

/** The part of POST /containers/create that we set (Docker Engine API v1.41). */
export interface ContainerConfig {
  readonly Image: string;
  readonly Hostname?: string;
  readonly Cmd?: string[];
  readonly Entrypoint?: string[];
  readonly Env: string[];
  readonly User?: string;
  readonly Labels: Record<string, string>;
  /** Seconds. */
  readonly StopTimeout: number;
  readonly ExposedPorts?: Record<string, object>;
  readonly HostConfig: {
    readonly Mounts: MountConfig[];
    readonly NanoCpus?: number;
    readonly Memory?: number;
    readonly CapAdd: string[];
    readonly CapDrop: string[];
    readonly Privileged: boolean;
    readonly Sysctls: Record<string, string>;
    readonly PidMode?: string;
    readonly LogConfig: { readonly Type: 'json-file'; readonly Config: Record<string, string> };
    readonly RestartPolicy: { readonly Name: string };
    readonly NetworkMode: string;
    readonly Dns?: string[];
    readonly DnsOptions?: string[];
    readonly PortBindings?: Record<string, { HostPort: string }[]>;
  };
}

interface MountConfig {
  readonly Type: 'bind' | 'tmpfs';
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly TmpfsOptions?: { readonly SizeBytes: number };
}

export interface ContainerOrder {
  readonly template: ServiceTemplate;
  readonly stopGracePeriodMs: number;
  /** Ours win over the template's own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly job: boolean;
  /** Network that overlay containers join. */
  readonly overlay: { readonly name: string; readonly gatewayAddress: string };
  /** Path on the machine of each volume that the template mounts. */
  readonly volumePaths: Readonly<Record<string, string>>;
  readonly secrets: OpenSecrets;
}

/** The secrets of one template. */
export interface OpenSecrets {
  /** Values that the environment names. */
  readonly values: Readonly<Record<SecretName, string>>;
  /** Path on the machine of each file that a mount names. */
  readonly paths: Readonly<Record<SecretName, string>>;
}

/** Create options; the same order gives the same options. */
export function containerConfig(order: ContainerOrder): ContainerConfig {
  const { template } = order;
  return {
    Image: imageText(template.image),
    ...(template.network === 'host' ? {} : { Hostname: order.hostname }),
    ...(template.command === null ? {} : { Cmd: template.command }),
    ...(template.entrypoint === null ? {} : { Entrypoint: template.entrypoint }),
    Env: sorted(template.env).map(
      ([name, value]) => `${name}=${fillSecrets(value, (it) => given(order.secrets.values, it))}`,
    ),
    ...(template.user === null ? {} : { User: template.user }),
    Labels: { ...template.labels, ...order.labels },
    StopTimeout: Math.ceil(order.stopGracePeriodMs / 1000),
    ...exposed(template),
    HostConfig: {
      Mounts: template.mounts.map((it) => mountConfig(it, order)),
      ...(template.cpuMillicores === null ? {} : { NanoCpus: template.cpuMillicores * 1_000_000 }),
      ...(template.memoryBytes === null ? {} : { Memory: template.memoryBytes }),
      CapAdd: template.capAdd,
      CapDrop: capDrop(template),
      Privileged: template.privileged,
      Sysctls: template.sysctls,
      ...(template.pidMode === 'host' ? { PidMode: 'host' } : {}),
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': String(template.log.maxSizeBytes), 'max-file': String(template.log.maxFiles) },
      },
      RestartPolicy: { Name: order.job ? 'no' : ENGINE_RESTART[template.restart] },
      ...networking(order),
    },
  };
}

/**
 * `always` differs from `unless-stopped` only in bringing back, at a daemon start, what was stopped on purpose. An
 * instance that a swap stopped must stay stopped then; one that somebody else stopped is healed by the agent.
 */
const ENGINE_RESTART = {
  always: 'unless-stopped',
  'unless-stopped': 'unless-stopped',
  'on-failure': 'on-failure',
  no: 'no',
} as const satisfies Record<ServiceTemplate['restart'], string>;

/** Raw sockets could speak for neighbours on the bridge, past the packet filter: only who asks for them has them. */
function capDrop({ network, privileged, capAdd, capDrop: wished }: ServiceTemplate): string[] {
  const asked = privileged || capAdd.some((it) => /^(CAP_)?(NET_RAW|ALL)$/i.test(it));
  return network !== 'overlay' || asked || wished.includes('NET_RAW') ? wished : [...wished, 'NET_RAW'];
}

function networking(order: ContainerOrder) {
  const { template, overlay } = order;
  if (template.network !== 'overlay') return { NetworkMode: template.network };
  return {
    NetworkMode: overlay.name,
    Dns: [overlay.gatewayAddress],
    // glibc waits 5 s for a lost answer by default; a resolver that restarts would stall every lookup that long.
    DnsOptions: ['timeout:1', 'attempts:3'],
    ...(template.udpPublish.length === 0 ? {} : { PortBindings: bindings(template.udpPublish) }),
  };
}

function exposed(template: ServiceTemplate) {
  if (template.network !== 'overlay' || template.udpPublish.length === 0) return {};
  return { ExposedPorts: Object.fromEntries(template.udpPublish.map((it) => [`${it.port}/${it.protocol}`, {}])) };
}

function bindings(ports: readonly PublishedPort[]): Record<string, { HostPort: string }[]> {
  const found: Record<string, { HostPort: string }[]> = {};
  for (const { port, protocol, hostPort } of ports)
    (found[`${port}/${protocol}`] ??= []).push({ HostPort: String(hostPort) });
  return found;
}

// Not `Binds`: with those the engine makes an empty folder where the source is missing.
function mountConfig(mount: Mount, { volumePaths, secrets }: ContainerOrder): MountConfig {
  if (mount.kind === 'secret')
    return { Type: 'bind', Source: given(secrets.paths, mount.secret), Target: mount.target, ReadOnly: true };
  if (mount.kind === 'tmpfs') {
    const size = mount.sizeBytes === null ? {} : { TmpfsOptions: { SizeBytes: mount.sizeBytes } };
    return { Type: 'tmpfs', Target: mount.target, ...size };
  }
  const source = mount.kind === 'bind' ? mount.path : given(volumePaths, mount.volume);
  return { Type: 'bind', Source: source, Target: mount.target, ReadOnly: mount.readonly };
}

function given(record: Readonly<Record<string, string>>, name: string): string {
  const found = Object.hasOwn(record, name) ? record[name] : undefined;
  if (found === undefined) throw new Error(`nothing was given for ${name}`);
  return found;
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
