/** Names and memberships: what containers of a namespace may look up, and which namespace an address is in. Pure. */
import type { InstanceReport } from '../schemas/observed.ts';
import type { NameRow, RoutingTable } from '../schemas/routing.ts';
import { type LiveRelease, slotsOf } from './backends.ts';
import { compareText } from './normalise.ts';
import { bridgeAddress, type ReportIndex, serving } from './serving.ts';

/**
 * Service → addresses. A released overlay service has a row even while nobody is ready: its name is known. A service
 * without a released slot is resolvable as soon as a candidate is ready, or else `depends_on` would deadlock on the
 * first deploy.
 */
export function nameRows(
  releases: readonly LiveRelease[],
  reports: readonly InstanceReport[],
  index: ReportIndex,
): NameRow[] {
  const rows = new Map<string, NameRow>();
  const add = (namespace: string, service: string, found: readonly InstanceReport[]) => {
    const addresses = found.map(bridgeAddress).filter((it) => it !== null);
    const all = [...(rows.get(`${namespace}/${service}`)?.addresses ?? []), ...addresses];
    rows.set(`${namespace}/${service}`, { namespace, service, addresses: [...new Set(all)].toSorted(compareText) });
  };
  const placed = new Set<string>();
  for (const { release, specs } of releases) {
    for (const [service, digest] of Object.entries(release.services)) {
      const spec = specs.get(digest);
      const slots = slotsOf(release, service);
      if (slots.length > 0 || spec?.job === true) placed.add(`${release.namespace}/${service}`);
      if (spec === undefined || spec.job || spec.template.network !== 'overlay') continue;
      add(release.namespace, service, []);
      for (const row of slots) add(release.namespace, service, serving(row, release.namespace, index));
    }
  }
  for (const it of reports) {
    const candidate = it.state === 'ready' && bridgeAddress(it) !== null;
    if (candidate && !placed.has(`${it.namespace}/${it.service}`)) add(it.namespace, it.service, [it]);
  }
  return [...rows.values()].toSorted(
    (a, b) => compareText(a.namespace, b.namespace) || compareText(a.service, b.service),
  );
}

/**
 * Address → namespace for every instance on a bridge, in any state. Where an exited one's old address has a new
 * holder, the holder counts; an address that two living ones claim is listed for both, and is for nobody to trust.
 */
export function memberRows(reports: readonly InstanceReport[]): RoutingTable['members'] {
  const claims = new Map<string, { living: Set<string>; exited: Set<string> }>();
  for (const it of reports) {
    const address = bridgeAddress(it);
    if (address === null) continue;
    const claim = claims.get(address) ?? { living: new Set(), exited: new Set() };
    claims.set(address, claim);
    claim[it.state === 'exited' ? 'exited' : 'living'].add(it.namespace);
  }
  return [...claims]
    .flatMap(([address, { living, exited }]) =>
      [...(living.size > 0 ? living : exited)].map((namespace) => ({ address, namespace })),
    )
    .toSorted((a, b) => compareText(a.address, b.address) || compareText(a.namespace, b.namespace));
}
