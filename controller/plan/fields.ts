/**
 * The cost table: what changing each field of a service does to its containers, and how its value is shown.
 *
 * A field added to ServiceSpec or ServiceTemplate does not compile until it has a row here. Everything of the template
 * recreates (Docker Engine API, ContainerUpdate: only resources and restart policy change on a live container).
 */
import { imageText, type ServiceSpec, type ServiceTemplate } from '../../schemas/service.ts';
import { cut, durationText, mountText, publishText, readinessText, routeText, sizeText, strategyText } from './show.ts';

/** What an update does to running containers: `in-place` keeps them, `recreate` replaces every one. */
export type Disruption = 'in-place' | 'recreate';

/** Shown parts of a value: path as a manifest writes it → text. */
export type Parts = Readonly<Record<string, string>>;

export interface Field<T> {
  readonly disruption: Disruption;
  parts(value: T): Parts;
}

/** Prefix of the paths whose values are literals of the environment: comments show only their names. */
export const ENV_PREFIX = 'env.';

/** Fields outside the template. Not the name: specs are matched by it. */
export const SERVICE_FIELDS = {
  imageName: inPlace('image', String),
  pullPolicy: inPlace('pull_policy', (it) => it.replaceAll('-', '_')),
  placement: {
    disruption: 'in-place',
    parts: (it) => ({
      placement: it.replicaCount === null ? 'global' : 'replicated',
      ...(it.replicaCount === null ? {} : { 'placement.count': `${it.replicaCount}` }),
      ...(it.machines.length === 0 ? {} : { 'placement.machines': it.machines.join(', ') }),
      ...members('placement.labels.', it.labels),
      ...(it.region === null ? {} : { 'placement.region': it.region }),
      ...(it.zone === null ? {} : { 'placement.zone': it.zone }),
    }),
  },
  ports: inPlace(
    'service_ports',
    list((it) => `${it.name} ${it.protocol} ${it.port}`),
  ),
  tcpPublish: inPlace('publish (tcp)', list(publishText)),
  routes: inPlace('routes', list(routeText)),
  readiness: inPlace('readiness', readinessText),
  dependsOn: { disruption: 'in-place', parts: (it) => members('depends_on.', it, String) },
  strategy: inPlace('strategy', strategyText),
  // Passed with each stop call, not stored in the container.
  stopGracePeriodMs: inPlace('stop_grace_period', durationText),
  deadlineMs: inPlace('deadline', durationText),
  onFailure: inPlace('on_failure', String),
  job: inPlace('job', String),
} as const satisfies { [K in Exclude<keyof ServiceSpec, 'name' | 'template'>]: Field<ServiceSpec[K]> };

/** Fields of the template: each of them replaces the containers. */
export const TEMPLATE_FIELDS = {
  image: recreate('image digest', imageText),
  command: recreate('command', words),
  entrypoint: recreate('entrypoint', words),
  env: { disruption: 'recreate', parts: (it) => members(ENV_PREFIX, it) },
  mounts: recreate('mounts', list(mountText)),
  cpuMillicores: recreate('resources.cpu', (it) => (it === null ? 'none' : `${it}m`)),
  memoryBytes: recreate('resources.memory', (it) => (it === null ? 'none' : sizeText(it))),
  user: recreate('user', (it) => it ?? 'none'),
  capAdd: recreate('cap_add', list(String)),
  capDrop: recreate('cap_drop', list(String)),
  privileged: recreate('privileged', String),
  sysctls: { disruption: 'recreate', parts: (it) => members('sysctls.', it) },
  pidMode: recreate('pid_mode', String),
  labels: { disruption: 'recreate', parts: (it) => members('labels.', it) },
  log: recreate('log', (it) => `${it.maxFiles} files of ${sizeText(it.maxSizeBytes)}`),
  network: recreate('network', String),
  udpPublish: recreate('publish (udp)', list(publishText)),
  restart: recreate('restart', String),
  secrets: { disruption: 'recreate', parts: (it = {}) => members('secrets.', it, (version) => `version ${version}`) },
} as const satisfies { [K in keyof ServiceTemplate]-?: Field<ServiceTemplate[K]> };

function inPlace<T>(path: string, text: (value: T) => string): Field<T> {
  return { disruption: 'in-place', parts: (value) => ({ [path]: cut(text(value)) }) };
}

function recreate<T>(path: string, text: (value: T) => string): Field<T> {
  return { disruption: 'recreate', parts: (value) => ({ [path]: cut(text(value)) }) };
}

function list<T>(text: (value: T) => string): (values: readonly T[]) => string {
  return (values) => (values.length === 0 ? 'none' : values.map(text).join('; '));
}

function words(value: readonly string[] | null): string {
  return value === null ? 'none' : JSON.stringify(value);
}

/** Quoted, so that an empty or odd value cannot be taken for its absence. */
function members<T>(
  prefix: string,
  value: Readonly<Record<string, T>>,
  text: (value: T) => string = JSON.stringify,
): Parts {
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [`${prefix}${name}`, cut(text(it))]));
}
