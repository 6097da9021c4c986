/** What the fields of a template mean together, and what the policy of the fleet allows. Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import type { ManifestMount } from '../../schemas/manifest-template.ts';
import type { Settings } from '../../schemas/settings.ts';
import { fillEnv } from './env.ts';
import { type Path, quoted } from './places.ts';
import { cpuMillicores, sizeBytes } from './quantities.ts';
import type { Report } from './report.ts';
import { didYouMean } from './suggest.ts';

export interface CheckContext {
  readonly namespace: string;
  readonly settings: Settings;
  readonly volumes: ReadonlySet<string>;
  readonly report: Report;
}

/** Every mount with its path, whichever of the two names the list has. */
export function mountsOf(service: ManifestService): { readonly mount: ManifestMount; readonly path: Path }[] {
  const { mounts = [], volumes = [] } = service.template;
  return [
    ...mounts.map((mount, index) => ({ mount, path: ['template', 'mounts', index] })),
    ...volumes.map((mount, index) => ({ mount, path: ['template', 'volumes', index] })),
  ];
}

/** Checks of the template, in the order of the fields. */
export function checkContainer(service: ManifestService, context: CheckContext): void {
  checkAliases(service, context.report);
  checkEnv(service, context);
  checkArguments(service, context.report);
  checkMounts(service, context);
  checkResources(service, context.report);
  checkLabels(service, context.report);
  checkSysctls(service, context.report);
  checkPolicy(service, context);
}

function checkAliases({ template, strategy, rollout }: ManifestService, report: Report): void {
  const { resources = {} } = template;
  const twice = (path: Path, other: string): void =>
    report(path, `says the same as ${other}; write one of them`, { part: 'key' });
  if (template.mounts && template.volumes) twice(['template', 'volumes'], 'mounts');
  if (resources.cpu !== undefined && resources.cpu_millicores !== undefined)
    twice(['template', 'resources', 'cpu_millicores'], 'cpu');
  if (resources.memory !== undefined && resources.memory_bytes !== undefined)
    twice(['template', 'resources', 'memory_bytes'], 'memory');
  if (strategy !== undefined && rollout !== undefined) twice(['rollout'], 'strategy');
}

function checkEnv({ template }: ManifestService, { settings, report }: CheckContext): void {
  for (const [name, text] of Object.entries(template.env ?? {})) {
    const filled = fillEnv(text, settings.env);
    if (!filled.ok) report(['template', 'env', name], filled.message, { hint: filled.hint });
    else checkLength(['template', 'env', name], `${name}=${filled.value}`, report);
  }
  for (const field of ['command', 'entrypoint'] as const) {
    for (const [index, text] of (template[field] ?? []).entries()) {
      // Arguments stand in process lists, which every user of the machine may read.
      if (SECRET_PLACEHOLDER.test(text))
        report(['template', field, index], 'secrets are filled in env only; a command line is for all to see', {
          hint: 'name it in env, or mount it as a file with source = { secret = … }',
        });
    }
  }
}

const SECRET_PLACEHOLDER = /\{\{\s*secret\s*:/;

/** Linux starts no program with a longer argument or variable. Source: execve(2), MAX_ARG_STRLEN, less its final NUL. */
const MAX_STRING_BYTES = 128 * 1024 - 1;

function checkArguments({ template }: ManifestService, report: Report): void {
  for (const key of ['entrypoint', 'command'] as const)
    for (const [index, it] of (template[key] ?? []).entries()) checkLength(['template', key, index], it, report);
}

function checkLength(path: Path, text: string, report: Report): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_STRING_BYTES) return;
  report(path, `${bytes} bytes are more than Linux takes in one string, ${MAX_STRING_BYTES}`, {
    hint: 'put it into a file that the container mounts',
  });
}

function checkMounts(service: ManifestService, { volumes, report }: CheckContext): void {
  const targets = new Set<string>();
  for (const { mount, path } of mountsOf(service)) {
    const { source } = mount;
    const target = mount.target.replace(/\/+$/, '');
    if (targets.has(target))
      report([...path, 'target'], `another mount of this service has the target ${quoted(target)}`);
    targets.add(target);
    const isTmpfs = source === 'tmpfs' || source.tmpfs !== undefined;
    if (source !== 'tmpfs' && source.secret !== undefined && mount.readonly === false)
      report([...path, 'readonly'], 'a secret cannot be written to');
    if (isTmpfs && mount.readonly === true)
      report([...path, 'readonly'], 'memory that cannot be written to is of no use');
    if (source === 'tmpfs') continue;
    const kinds = Object.keys(source).length;
    if (kinds !== 1) report([...path, 'source'], 'wants exactly one of volume, bind, tmpfs and secret');
    if (source.volume !== undefined && !volumes.has(source.volume)) {
      const hint = didYouMean(source.volume, [...volumes]) ?? 'declare it in volumes';
      report([...path, 'source', 'volume'], `${quoted(source.volume)} is not a volume of this namespace`, { hint });
    }
    if (source.volume !== undefined && isGlobal(service)) {
      report([...path, 'source', 'volume'], 'a global service runs on every machine, but a volume lies on one');
    }
    if (source.tmpfs?.size !== undefined) checkSize([...path, 'source', 'tmpfs', 'size'], source.tmpfs.size, 1, report);
  }
}

/** Whether a service runs on every machine. */
export function isGlobal({ placement }: ManifestService): boolean {
  return placement === 'global' || (typeof placement === 'object' && placement.global === true);
}

const MIN_MEMORY_BYTES = 6 * 1024 * 1024;

function checkResources({ template }: ManifestService, report: Report): void {
  const { resources = {}, log = {} } = template;
  const path = ['template', 'resources'];
  if (resources.memory !== undefined) checkSize([...path, 'memory'], resources.memory, MIN_MEMORY_BYTES, report);
  if (resources.memory_bytes !== undefined && resources.memory_bytes < MIN_MEMORY_BYTES) {
    report(
      [...path, 'memory_bytes'],
      `${resources.memory_bytes} is less than the ${MIN_MEMORY_BYTES} bytes (6Mi) that an engine wants`,
    );
  }
  const cpu = resources.cpu === undefined ? resources.cpu_millicores : cpuMillicores(resources.cpu);
  const key = resources.cpu === undefined ? 'cpu_millicores' : 'cpu';
  if (cpu !== undefined && cpu < 10)
    report([...path, key], 'is less than the hundredth of a core ("10m") that an engine wants');
  if (log.max_size !== undefined) checkSize(['template', 'log', 'max_size'], log.max_size, 1024, report);
}

function checkSize(path: Path, text: string, minBytes: number, report: Report): void {
  const bytes = sizeBytes(text);
  if (bytes < minBytes) report(path, `${quoted(text)} is less than ${minBytes} bytes`);
  if (bytes > Number.MAX_SAFE_INTEGER) report(path, `${quoted(text)} is larger than any machine`);
}

function checkLabels({ labels = {}, template }: ManifestService, report: Report): void {
  const lists = [
    { labels, path: ['labels'] },
    { labels: template.labels ?? {}, path: ['template', 'labels'] },
  ];
  for (const list of lists) {
    for (const name of Object.keys(list.labels)) {
      if (name.startsWith('slipway.'))
        report([...list.path, name], 'labels that begin with "slipway." are reserved', { part: 'key' });
    }
  }
  for (const name of Object.keys(template.labels ?? {})) {
    if (Object.hasOwn(labels, name))
      report(['template', 'labels', name], `the label also stands in labels of the service`, { part: 'key' });
  }
}

const CONTAINER_SYSCTL = /^(?:net\.|kernel\.(?:msg|shm|sem)|fs\.mqueue\.)/;

function checkSysctls({ template, network }: ManifestService, report: Report): void {
  for (const written of Object.keys(template.sysctls ?? {})) {
    const path = ['template', 'sysctls', written];
    const name = written.replaceAll('/', '.');
    if (!CONTAINER_SYSCTL.test(name)) {
      report(path, 'is a parameter of the whole machine', {
        hint: 'containers have their own net.*, kernel.msg*, kernel.shm*, kernel.sem and fs.mqueue.*',
        part: 'key',
      });
    } else if (network === 'host' && name.startsWith('net.')) {
      report(path, 'cannot be set with network = "host": it would change the machine', { part: 'key' });
    }
  }
}

interface PolicyRule {
  readonly setting: string;
  readonly allowed: (policy: Settings['policy']) => readonly string[];
  readonly used: (service: ManifestService) => readonly Path[];
  readonly what: string;
}

const POLICY: readonly PolicyRule[] = [
  {
    setting: 'bind_mounts',
    allowed: (it) => it.bindMounts,
    used: (service) =>
      mountsOf(service)
        .filter(({ mount }) => mount.source !== 'tmpfs' && mount.source.bind !== undefined)
        .map(({ path }) => [...path, 'source', 'bind']),
    what: 'mount paths of the machine',
  },
  {
    setting: 'privileged',
    allowed: (it) => it.privileged,
    used: ({ template }) => (template.privileged === true ? [['template', 'privileged']] : []),
    what: 'run privileged containers',
  },
  {
    setting: 'host_network',
    allowed: (it) => it.hostNetwork,
    used: ({ network }) => (network === 'host' ? [['network']] : []),
    what: 'use the network of the machine',
  },
  {
    setting: 'cap_add',
    allowed: (it) => it.capAdd,
    used: ({ template }) => ((template.cap_add ?? []).length > 0 ? [['template', 'cap_add']] : []),
    what: 'add capabilities',
  },
  {
    setting: 'pid_host',
    allowed: (it) => it.pidHost,
    used: ({ template }) => (template.pid_mode === 'host' ? [['template', 'pid_mode']] : []),
    what: 'see the processes of the machine',
  },
];

function checkPolicy(service: ManifestService, { namespace, settings, report }: CheckContext): void {
  for (const { setting, allowed, used, what } of POLICY) {
    if (allowed(settings.policy).includes(namespace)) continue;
    for (const path of used(service)) {
      const hint = `slipway.toml allows it with [policy] ${setting} = [${quoted(namespace)}]`;
      report(path, `the namespace ${quoted(namespace)} may not ${what}`, { hint });
    }
  }
}
