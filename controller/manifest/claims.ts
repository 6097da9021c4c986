/** What only one service can have: hostnames with their paths, and ports of machines. Checked across all namespaces. Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import { groupBy } from './group-by.ts';
import type { Part } from './parts.ts';
import { type Path, quoted } from './places.ts';

/** A service of a namespace. */
export interface Claimant {
  readonly namespace: string;
  readonly part: Part<ManifestService>;
}

interface Claim extends Claimant {
  readonly path: Path;
  /** Machines it is claimed on; null: any. */
  readonly machines: readonly string[] | null;
}

/** Reports every claim that another one stands against, at both places. */
export function checkClaims(claimants: readonly Claimant[]): void {
  checkHostnames(claimants);
  for (const [key, claims] of groupBy(claimants.flatMap(portClaims), (it) => it.key)) {
    for (const claim of claims) {
      const other = claims.find((it) => it !== claim && overlap(it.machines, claim.machines));
      if (other !== undefined)
        claim.part.report(claim.path, `the port ${key} is also claimed by ${owner(other, claim)}`);
    }
  }
}

interface HostnameClaim extends Claim {
  readonly pathPrefix: string;
}

function checkHostnames(claimants: readonly Claimant[]): void {
  for (const [hostname, claims] of groupBy(claimants.flatMap(hostnameClaims), (it) => it.hostname)) {
    const byNamespace = groupBy(claims, (it) => it.namespace);
    const byPrefix = groupBy(claims, (it) => it.pathPrefix);
    for (const claim of claims) {
      const foreign = [...byNamespace].slice(0, 2).find(([namespace]) => namespace !== claim.namespace)?.[1][0];
      const twin = byPrefix
        .get(claim.pathPrefix)
        ?.slice(0, 2)
        .find((it) => it !== claim);
      if (foreign !== undefined) {
        claim.part.report(claim.path, `${quoted(hostname)} is also claimed by ${owner(foreign, claim)}`, {
          hint: 'a hostname belongs to one namespace',
        });
      } else if (twin !== undefined) {
        claim.part.report(
          claim.path,
          `${quoted(hostname)} with path ${quoted(claim.pathPrefix)} is also claimed by ${owner(twin, claim)}`,
        );
      }
    }
  }
}

function hostnameClaims(claimant: Claimant): (HostnameClaim & { readonly hostname: string })[] {
  return (claimant.part.input.routes ?? []).flatMap(({ http }, index) =>
    (http?.hostnames ?? []).map((hostname, at) => ({
      ...claimant,
      hostname,
      pathPrefix: normalPathPrefix(http?.path_prefix),
      path: ['routes', index, 'http', 'hostnames', at],
      machines: null,
    })),
  );
}

/** `/shop/` and `/shop` are one prefix; only the root ends with `/`. */
export function normalPathPrefix(written: string | undefined): string {
  return (written ?? '/').replace(/\/$/, '') || '/';
}

function portClaims(claimant: Claimant): (Claim & { readonly key: string })[] {
  const { input } = claimant.part;
  const { service_ports: ports = [], publish = [], routes = [], placement, network } = input;
  const machines = (typeof placement === 'object' ? placement.machines : undefined) ?? null;
  const listeners = routes.flatMap(({ tcp }, index) =>
    tcp === undefined
      ? []
      : [{ ...claimant, key: `tcp ${tcp.listen_port}`, path: ['routes', index, 'tcp', 'listen_port'], machines: null }],
  );
  const published = publish.map((it, index) => {
    const protocol = ports.find((port) => port.name === it.service_port)?.protocol ?? 'tcp';
    return { ...claimant, key: `${protocol} ${it.host_port}`, path: ['publish', index, 'host_port'], machines };
  });
  const hostPorts = (network === 'host' ? ports : []).map((it, index) => ({
    ...claimant,
    key: `${it.protocol ?? 'tcp'} ${it.container_port}`,
    path: ['service_ports', index, 'container_port'],
    machines,
  }));
  return [...listeners, ...published, ...hostPorts];
}

function overlap(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === null || b === null || a.some((it) => b.includes(it));
}

function owner(claim: Claim, from: Claim): string {
  const { document, base } = claim.part;
  const { line, column } = document.places.at([...base, ...claim.path], 'value');
  const place = `${document.file}:${line}:${column}`;
  const service = `service ${quoted(claim.part.input.name)}`;
  return claim.namespace === from.namespace
    ? `${service} (${place})`
    : `${service} of namespace ${quoted(claim.namespace)} (${place})`;
}
