/**
 * How this machine reaches its package servers, read when the proof runs, so that the bare host can reach them too.
 *
 * No address lies in the repository, and no credentials are read: a mirror that wants a password is not for this proof.
 */
import { existsSync } from 'node:fs';
import { run } from './command.ts';

export interface Registries {
  /** Of the distribution that this machine runs, for instance bookworm. */
  readonly codename: string;
  /** Where debootstrap gets its packages. */
  readonly mirror: string;
  /** sources.list(5), the distribution's own archives only. */
  readonly aptSources: string;
  /** apt.conf(5): proxies and what a dated mirror needs. */
  readonly aptSettings: string;
  /** Variables for every process in the host. */
  readonly environment: Readonly<Record<string, string>>;
  /** The certificates that this machine trusts. */
  readonly certificates: string | undefined;
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
const TARGET_FIELDS = '$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)';

/** Reads it from apt, npm and the environment. */
export async function readRegistries(codename: string, signal: AbortSignal): Promise<Registries> {
  const targets = await run(['apt-get', 'indextargets', '--format', TARGET_FIELDS, 'Created-By: Packages'], { signal });
  const settings = await run(['apt-config', 'dump', 'Acquire'], { signal });
  const registry = await run(['npm', 'config', 'get', 'registry', '--loglevel=error'], { signal });
  const certificates = existsSync(CERTIFICATES) ? CERTIFICATES : undefined;
  const { mirror, aptSources } = archives(targets, codename);
  return {
    codename,
    mirror,
    aptSources,
    aptSettings: settings
      .split('\n')
      .filter((it) => /^Acquire::(?:Check-|Retries|ForceIPv4|https?::)/.test(it))
      .join('\n'),
    environment: {
      ...Object.fromEntries(PROXIES.flatMap((it) => (process.env[it] === undefined ? [] : [[it, process.env[it]]]))),
      npm_config_registry: registry.trim(),
      npm_config_update_notifier: 'false',
      ...(certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificates, npm_config_cafile: certificates }),
    },
    certificates,
  };
}

/** The distribution's archives out of apt's index targets. @throws when apt knows none of them */
export function archives(targets: string, codename: string): { mirror: string; aptSources: string } {
  const rows = targets.split('\n').map((it) => it.split('|'));
  const own = rows.filter(([origin, name]) => /^(?:Debian|Ubuntu)$/.test(origin ?? '') && name?.startsWith(codename));
  const main = own.find(([, name]) => name === codename);
  if (main === undefined) throw new Error(`apt has no lists of ${codename}: run apt-get update first`);
  const lines = own.map(([, , uri, release, component]) => `deb ${uri} ${release} ${component}`);
  return { mirror: main[2] ?? '', aptSources: `${[...new Set(lines)].join('\n')}\n` };
}
