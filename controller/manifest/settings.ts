/** slipway.toml → settings with every default, or its problems. Pure. */
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Problem } from '../../schemas/problem.ts';
import { type Settings, SettingsFile } from '../../schemas/settings.ts';
import { explainIssues, flattenIssues } from './explain.ts';
import { placesOf, SETTINGS_FIELDS } from './field-table.ts';
import { durationMs, MAX_DURATION_MS } from './quantities.ts';
import { readDocument } from './read.ts';
import { createReport, orderedProblems } from './report.ts';

/** Where the settings lie in a fleet repository. */
export const SETTINGS_PATH = 'slipway.toml';

export interface ParsedSettings {
  /** null when there are problems. */
  readonly settings: Settings | null;
  readonly problems: readonly Problem[];
  /** Settings that are in order but have no effect yet; to be shown, not to stop anything. */
  readonly notices: readonly Problem[];
}

/** Reads slipway.toml; null when the repository has none: the defaults. */
export function parseSettings(bytes: Uint8Array | string | null): ParsedSettings {
  if (bytes === null) return { settings: resolveSettings({}), problems: [], notices: [] };
  const read = readDocument({
    path: SETTINGS_PATH,
    bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes,
  });
  if (!read.ok) return { settings: null, problems: read.problems, notices: [] };
  const { document } = read;
  const { value } = document;
  const problems: Problem[] = [];
  const report = createReport(document, problems);
  const parsed = SettingsFile.safeParse(value);
  if (!parsed.success) explainIssues(flattenIssues(parsed.error.issues, value), value, SETTINGS_FIELDS, report);
  else {
    const { ttl } = parsed.data.previews ?? {};
    if (ttl !== undefined && durationMs(ttl) > MAX_DURATION_MS)
      report(['previews', 'ttl'], `"${ttl}" is more than 24 days`);
    const { http_port: http, https_port: https } = { http_port: 80, https_port: 443, ...parsed.data.gateway };
    if (http === https) report(['gateway'], `http and https cannot both have port ${http}`);
  }
  const notices: Problem[] = [];
  const notice = createReport(document, notices);
  for (const row of SETTINGS_FIELDS.filter((it) => it.status === 'accepted')) {
    for (const path of placesOf(row, value)) notice(path, `has no effect yet: ${row.reason ?? ''}`, { part: 'key' });
  }
  const ordered = orderedProblems(problems, LIMITS.problemsPerFile);
  const settings = parsed.success && ordered.length === 0 ? resolveSettings(parsed.data) : null;
  return { settings, problems: ordered, notices: orderedProblems(notices, LIMITS.problemsPerFile) };
}

function resolveSettings(file: SettingsFile): Settings {
  const {
    source = {},
    images = {},
    policy = {},
    approvals = {},
    roles = {},
    previews = {},
    gateway = {},
    tls = {},
  } = file;
  const approvalOf = (it: NonNullable<SettingsFile['approvals']>[string]) => ({
    required: it.required ?? false,
    approvers: it.approvers ?? [],
    self: it.self ?? false,
  });
  return {
    source: {
      branch: source.branch ?? 'main',
      manifests: source.manifests ?? 'namespaces',
      allowRewind: source.allow_rewind ?? false,
    },
    env: file.env ?? {},
    images: { registries: images.registries ?? [] },
    policy: {
      bindMounts: policy.bind_mounts ?? [],
      privileged: policy.privileged ?? [],
      hostNetwork: policy.host_network ?? [],
      capAdd: policy.cap_add ?? [],
      pidHost: policy.pid_host ?? [],
    },
    approvals: Object.fromEntries(Object.entries(approvals).map(([name, it]) => [name, approvalOf(it)])),
    roles: {
      deploy: roles.deploy ?? ['write'],
      approve: roles.approve ?? ['admin'],
      preview: roles.preview ?? ['write'],
    },
    previews: {
      source: previews.source ?? null,
      name: previews.name ?? 'pr-{number}',
      host: previews.host ?? '',
      label: previews.label ?? '',
      max: previews.max ?? 10,
      maxServices: previews.max_services ?? 50,
      ttlMs: durationMs(previews.ttl ?? '48h'),
      seedJob: previews.seed_job ?? '',
      volumes: previews.volumes ?? {},
    },
    promotion: { landing: file.promotion?.landing ?? 'pull-request' },
    prune: { maxPercent: file.prune?.max_percent ?? 50 },
    gateway: { httpPort: gateway.http_port ?? 80, httpsPort: gateway.https_port ?? 443 },
    tls: { email: tls.email ?? '', directory: tls.directory ?? '', previewCertificate: tls.preview_certificate ?? '' },
    comments: { showEnv: file.comments?.show_env ?? false },
  };
}
