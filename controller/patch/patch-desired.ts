/**
 * The door of this room: what is live × a patch → what is desired, or every problem. Pure.
 *
 * A service that the patch does not name, and a field that it does not name, come out exactly as they went in.
 */
import type { Problem } from '../../schemas/problem.ts';
import type { Desired, DesiredService } from '../../schemas/service.ts';
import type { Settings } from '../../schemas/settings.ts';
import { loadManifest } from '../manifest/load.ts';
import { fragmentOf } from './fragment.ts';
import { type ServicePatch, touchesTraffic } from './patch.ts';
import { routedPort } from './routed-port.ts';

export type PatchResult =
  | { readonly ok: true; readonly desired: Desired }
  | { readonly ok: false; readonly problems: readonly string[] };

/** `settings`: policy and `[env]` that the patch has to obey, as a manifest would. */
export function patchDesired(base: Desired, patch: ServicePatch, settings: Settings): PatchResult {
  const before = base.services.find((it) => it.name === patch.service) ?? null;
  const missing = missingOf(base, before, patch);
  if (missing.length > 0) return { ok: false, problems: missing };
  const text = JSON.stringify(fragmentOf(base, before, patch));
  const { desired: asked, problems } = loadManifest(
    { path: 'patch.json', bytes: new TextEncoder().encode(text) },
    before?.template.network === 'host' ? withHostNetwork(settings, base.namespace) : settings,
  );
  const [service] = asked?.services ?? [];
  if (asked === null || service === undefined) return { ok: false, problems: [...new Set(problems.map(problemLine))] };
  const after = before === null ? counted(service, patch) : merged(before, service, patch);
  const known = new Set(base.volumes.map((it) => it.name));
  return {
    ok: true,
    desired: {
      namespace: base.namespace,
      services: byName([...base.services.filter((it) => it.name !== patch.service), after]),
      volumes: byName([...base.volumes, ...asked.volumes.filter((it) => !known.has(it.name))]),
    },
  };
}

/** Policy is for what is asked for, and this network is live already: the fragment only compares with it. */
function withHostNetwork(settings: Settings, namespace: string): Settings {
  const { policy } = settings;
  return { ...settings, policy: { ...policy, hostNetwork: [...policy.hostNetwork, namespace] } };
}

function missingOf(base: Desired, before: DesiredService | null, patch: ServicePatch): string[] {
  const { service, hostname, image, port } = patch;
  if (before === null && image === null) {
    const names = base.services.map((it) => it.name);
    const there = names.length === 0 ? 'it has no service yet' : `it has ${names.join(', ')}`;
    return [`${base.namespace} has no service ${service} (${there}): to make it, say which --image it runs`];
  }
  if (hostname === null || routedPort(before, patch) !== null) return [];
  const ports = (before?.ports ?? []).filter((it) => it.protocol === 'tcp').map((it) => it.port);
  const there = ports.length === 0 ? 'it has no tcp port' : `it has ${ports.join(', ')}`;
  return port === null ? [`--host ${hostname}: which port of ${service} answers (${there})? Say it with --port`] : [];
}

function merged(before: DesiredService, asked: DesiredService, patch: ServicePatch): DesiredService {
  const traffic = touchesTraffic(patch);
  const { template } = before;
  const targets = new Set(asked.template.mounts.map((it) => it.target));
  const mounts = [...template.mounts.filter((it) => !targets.has(it.target)), ...asked.template.mounts];
  return counted(
    {
      ...before,
      imageName: asked.imageName,
      ...(traffic ? { ports: asked.ports, tcpPublish: asked.tcpPublish, routes: asked.routes } : {}),
      template: {
        ...template,
        env: { ...template.env, ...asked.template.env },
        mounts: mounts.toSorted((a, b) => (a.target < b.target ? -1 : 1)),
        ...(traffic ? { udpPublish: asked.template.udpPublish } : {}),
        ...(patch.network === null ? {} : { network: asked.template.network }),
        ...(patch.restart === null ? {} : { restart: asked.template.restart }),
      },
    },
    patch,
  );
}

function counted(service: DesiredService, { replicaCount }: ServicePatch): DesiredService {
  return replicaCount === null ? service : { ...service, placement: { ...service.placement, replicaCount } };
}

/** What a field of the fragment is called on the command line; the first that fits. */
const OPTIONS: readonly (readonly [RegExp, string])[] = [
  [/^services\[0\]\.name$/, 'NAME'],
  [/^services\[0\]\.template\.image$/, '--image'],
  [/^services\[0\]\.template\.env/, '-e'],
  [/^services\[0\]\.template\.mounts|^volumes/, '-v'],
  [/^services\[0\]\.(?:publish|service_ports)/, '-p'],
  [/^services\[0\]\.network/, '--network'],
  [/^services\[0\]\.restart/, '--restart'],
  [/^services\[0\]\.routes/, '--host'],
  [/^services\[0\]\.strategy/, 'strategy'],
  [/^namespace/, '--namespace'],
];

function problemLine({ path, message, hint }: Problem): string {
  const option = OPTIONS.find(([pattern]) => pattern.test(path))?.[1] ?? path;
  const key = /^services\[0\]\.template\.env(?:\.(.+)|\["(.+)"\])$/.exec(path);
  const where = key === null ? option : `${option} ${key[1] ?? key[2] ?? ''}`;
  return `${where}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function byName<T extends { readonly name: string }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
