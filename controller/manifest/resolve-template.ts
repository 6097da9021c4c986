/** The template of a manifest → the template of a desired service: defaults filled, one spelling for each thing. Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import type { ManifestMount } from '../../schemas/manifest-template.ts';
import type { DesiredService, Mount } from '../../schemas/service.ts';
import { mountsOf } from './check-container.ts';
import { fillEnv } from './env.ts';
import { cpuMillicores, sizeBytes } from './quantities.ts';
import { byText } from './sorted.ts';

const DEFAULT_LOG = { maxSizeBytes: 10 * 1024 * 1024, maxFiles: 3 };

/** What shapes a container. Lists whose order means nothing are sorted, so that reordering them replaces no container. */
export function resolveTemplate(
  service: ManifestService,
  env: Readonly<Record<string, string>>,
): DesiredService['template'] {
  const { template } = service;
  const { resources = {}, log = {} } = template;
  return {
    command: template.command ?? null,
    entrypoint: template.entrypoint ?? null,
    env: resolveEnv(template.env ?? {}, env),
    mounts: mountsOf(service)
      .map(({ mount }) => resolveMount(mount))
      .toSorted(byText((it) => it.target)),
    cpuMillicores: resources.cpu === undefined ? (resources.cpu_millicores ?? null) : cpuMillicores(resources.cpu),
    memoryBytes: resources.memory === undefined ? (resources.memory_bytes ?? null) : sizeBytes(resources.memory),
    user: template.user ?? null,
    capAdd: capabilities(template.cap_add),
    capDrop: capabilities(template.cap_drop),
    privileged: template.privileged ?? false,
    sysctls: sysctls(template.sysctls ?? {}),
    pidMode: template.pid_mode ?? 'private',
    labels: { ...service.labels, ...template.labels },
    log: {
      maxSizeBytes: log.max_size === undefined ? DEFAULT_LOG.maxSizeBytes : sizeBytes(log.max_size),
      maxFiles: log.max_files ?? DEFAULT_LOG.maxFiles,
    },
    network: typeof service.network === 'string' ? service.network : 'overlay',
    udpPublish: publishedPorts(service, 'udp'),
    restart: service.restart ?? (service.job === true ? 'no' : 'unless-stopped'),
  };
}

/** The published ports of one protocol, in order of host port. */
export function publishedPorts(service: ManifestService, protocol: 'tcp' | 'udp'): DesiredService['tcpPublish'] {
  const published = (service.publish ?? []).map((it) => {
    const port = service.service_ports?.find((candidate) => candidate.name === it.service_port);
    return { port: port?.container_port ?? 0, protocol: port?.protocol ?? 'tcp', hostPort: it.host_port };
  });
  return published.filter((it) => it.protocol === protocol).toSorted((a, b) => a.hostPort - b.hostPort);
}

function resolveEnv(written: Readonly<Record<string, string>>, env: Readonly<Record<string, string>>) {
  const filled = Object.entries(written).map(([name, text]) => {
    const result = fillEnv(text, env);
    return [name, result.ok ? result.value : text];
  });
  return Object.fromEntries(filled);
}

function resolveMount({ source, target: written, readonly = false }: ManifestMount): Mount {
  const target = written.replace(/\/+$/, '');
  if (source === 'tmpfs') return { kind: 'tmpfs', target, sizeBytes: null };
  if (source.volume !== undefined) return { kind: 'volume', volume: source.volume, target, readonly };
  if (source.secret !== undefined) return { kind: 'secret', secret: source.secret, target };
  if (source.bind !== undefined) return { kind: 'bind', path: source.bind, target, readonly };
  const size = source.tmpfs?.size;
  return { kind: 'tmpfs', target, sizeBytes: size === undefined ? null : sizeBytes(size) };
}

function capabilities(written: readonly string[] | undefined): string[] {
  return [...new Set((written ?? []).map((it) => it.replace(/^CAP_/, '')))].toSorted();
}

/** sysctl(8) takes `/` and `.` alike; engines want `.`. */
function sysctls(written: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(written).map(([name, value]) => [name.replaceAll('/', '.'), value]));
}
