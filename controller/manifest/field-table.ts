/**
 * The field table: every field of manifests and settings, and whether it works. What is refused is refused by this
 * table; docs/manifest-fields.md is made of it, and a test holds each row to its word.
 */
import type { Path } from './places.ts';

/** `works`; `accepted`: checked in form, has no effect yet; `refused`: a problem that names the field. */
export type FieldStatus = 'works' | 'accepted' | 'refused';

export interface FieldRow {
  /** `services[].template.image`; `*` is any key. */
  readonly path: string;
  readonly status: FieldStatus;
  /** Only this value or form of it is meant. */
  readonly form?: { readonly shown: string; readonly matches: (value: unknown) => boolean };
  /** Why it is refused or has no effect. */
  readonly reason?: string;
}

const MANIFEST_WORKS = [
  'namespace',
  'services[].name',
  'services[].placement',
  'services[].placement.replicated.count',
  'services[].placement.global',
  'services[].placement.machines',
  'services[].placement.labels',
  'services[].placement.region',
  'services[].placement.zone',
  'services[].template.image',
  'services[].template.command',
  'services[].template.entrypoint',
  'services[].template.env',
  ...['mounts', 'volumes'].flatMap((it) => [
    `services[].template.${it}[].source`,
    `services[].template.${it}[].source.volume`,
    `services[].template.${it}[].source.bind`,
    `services[].template.${it}[].source.tmpfs.size`,
    `services[].template.${it}[].source.secret`,
    `services[].template.${it}[].target`,
    `services[].template.${it}[].readonly`,
  ]),
  'services[].template.resources.cpu',
  'services[].template.resources.memory',
  'services[].template.resources.cpu_millicores',
  'services[].template.resources.memory_bytes',
  'services[].template.user',
  'services[].template.cap_add',
  'services[].template.cap_drop',
  'services[].template.privileged',
  'services[].template.sysctls',
  'services[].template.pid_mode',
  'services[].template.stop_grace_period',
  'services[].template.pull_policy',
  'services[].template.labels',
  'services[].template.log.max_size',
  'services[].template.log.max_files',
  'services[].network',
  'services[].labels',
  'services[].service_ports[].name',
  'services[].service_ports[].container_port',
  'services[].service_ports[].protocol',
  'services[].publish[].service_port',
  'services[].publish[].host_port',
  'services[].routes[].http.service_port',
  'services[].routes[].http.hostnames',
  'services[].routes[].http.path_prefix',
  'services[].routes[].tcp.service_port',
  'services[].routes[].tcp.listen_port',
  'services[].readiness.http.service_port',
  'services[].readiness.http.path',
  'services[].readiness.tcp.service_port',
  'services[].readiness.exec.command',
  'services[].readiness.interval',
  'services[].readiness.timeout',
  'services[].readiness.retries',
  'services[].readiness.start_period',
  'services[].readiness.liveness_timeout',
  'services[].restart',
  'services[].depends_on',
  'services[].strategy',
  'services[].strategy.rolling.max_surge',
  'services[].strategy.rolling.max_unavailable',
  'services[].strategy.recreate',
  'services[].strategy.blue_green.hold',
  'services[].rollout',
  'services[].deadline',
  'services[].on_failure',
  'services[].job',
  'volumes[].name',
  'volumes[].scope',
  'volumes[].mode',
  'volumes[].owner',
  'volumes[].preview',
] as const;

const MANIFEST_REFUSED: readonly Omit<FieldRow, 'status'>[] = [
  { path: 'services[].template.resources.gpu', reason: 'machines do not report graphics processors' },
  { path: 'services[].template.resources.vram', reason: 'machines do not report graphics processors' },
  { path: 'services[].network.service', reason: 'containers do not share networks' },
  { path: 'services[].publish[].host_ip', reason: 'a published port listens on all addresses of the machine' },
  { path: 'services[].strategy.canary', reason: 'requests are not split by share' },
  { path: 'services[].autoscale', reason: 'the number of instances is what the manifest says' },
  { path: 'services[].recovery', reason: 'services do not move away from lost machines by themselves' },
  {
    path: 'volumes[].scope',
    form: { shown: '"shared"', matches: (it) => it === 'shared' },
    reason: 'a volume lies on one machine',
  },
  { path: 'volumes[].quota', reason: 'the volume driver cannot limit the size of a volume' },
  { path: 'intent', reason: 'Slipway plans from the manifests alone' },
];

const SETTINGS_WORKS = [
  'source.branch',
  'source.manifests',
  'source.allow_rewind',
  'env',
  'policy.bind_mounts',
  'policy.privileged',
  'policy.host_network',
  'policy.cap_add',
  'policy.pid_host',
  'approvals.*.required',
  'previews.source',
  'previews.name',
  'previews.host',
  'previews.label',
  'previews.max',
  'previews.max_services',
  'previews.ttl',
  'previews.seed_job',
  'previews.volumes',
  'approvals.*.approvers',
  'approvals.*.self',
  'roles.deploy',
  'roles.approve',
  'roles.preview',
  'images.registries',
  'comments.show_env',
  'prune.max_percent',
  'gateway.http_port',
] as const;

const SETTINGS_ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  'nothing is promoted': ['promotion.landing'],
  'the gateway does not speak TLS': ['gateway.https_port', 'tls.email', 'tls.directory', 'tls.preview_certificate'],
};

/** Rows of manifests. */
export const MANIFEST_FIELDS: readonly FieldRow[] = [
  ...MANIFEST_WORKS.map((path): FieldRow => ({ path, status: 'works' })),
  ...MANIFEST_REFUSED.map((row): FieldRow => ({ ...row, status: 'refused' })),
];

/** Rows of slipway.toml. */
export const SETTINGS_FIELDS: readonly FieldRow[] = [
  ...SETTINGS_WORKS.map((path): FieldRow => ({ path, status: 'works' })),
  ...Object.entries(SETTINGS_ACCEPTED).flatMap(([reason, paths]) =>
    paths.map((path): FieldRow => ({ path, status: 'accepted', reason })),
  ),
];

/** The steps of a row's path: keys, `[]` for any index, `*` for any key. */
export function fieldSteps(path: string): string[] {
  return path.replaceAll('[]', '.[]').split('.');
}

/** Keys that may stand in the table at `path`, in the order of the rows. */
export function keysAt(rows: readonly FieldRow[], path: Path): string[] {
  const keys = rows.map(({ path: row }) => {
    const steps = fieldSteps(row);
    const fits = path.every((step, index) => {
      const wanted = steps[index];
      return typeof step === 'number' ? wanted === '[]' : wanted === step || wanted === '*';
    });
    return fits ? steps[path.length] : undefined;
  });
  return [...new Set(keys)].filter((it): it is string => it !== undefined && it !== '[]' && it !== '*');
}

/** Every place in `value` that a row means, as paths. */
export function placesOf(row: FieldRow, value: unknown): Path[] {
  let found: { readonly path: Path; readonly value: unknown }[] = [{ path: [], value }];
  for (const step of fieldSteps(row.path)) found = found.flatMap((it) => members(it, step));
  return found.filter((it) => row.form === undefined || row.form.matches(it.value)).map((it) => it.path);
}

function members(from: { readonly path: Path; readonly value: unknown }, step: string) {
  const { value, path } = from;
  const member = (key: string | number, it: unknown) => ({ path: [...path, key], value: it });
  if (step === '[]') return Array.isArray(value) ? value.map((it, index) => member(index, it)) : [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const entries = Object.entries(value).filter(([key]) => step === '*' || key === step);
  return entries.map(([key, it]) => member(key, it));
}
