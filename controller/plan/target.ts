/** Target: the release record that a commit phase of a plan appends. The store checks its size. */
import type { DeployId, Digest, ServiceName } from '../../schemas/names.ts';
import type { Phase, Plan } from '../../schemas/plan.ts';
import type { Release, SlotRow } from '../../schemas/release.ts';
import { specDigest } from '../../schemas/service.ts';
import { groupBy, sortedBy } from './order.ts';
import { hostPortRows, routeRows } from './release-rows.ts';

/**
 * The release of a checkpoint or final phase. Rows that the plan left open get this deploy.
 *
 * In a checkpoint, a service counts as what it was while the table has a row of its older spec; after that its spec,
 * routes and ports are the target's. Its old digest is read from its rows; its old routes and ports from `released`.
 *
 * @param released the live release that the plan starts from; needed for what a checkpoint has not changed yet
 * @param previous the release before this one: `released`, or the checkpoint before; by default the former
 */
export function releaseFrom(args: {
  readonly plan: Plan;
  readonly phase: Phase;
  readonly deploy: DeployId;
  readonly n: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly actor: string;
  readonly released?: Release | null;
  readonly previous?: number | null;
}): Release {
  const { plan, phase, deploy, n, at, actor } = args;
  const final = phase.commit === 'final';
  const switched = final ? new Set(plan.services.map((it) => it.name)) : switchedServices(plan, phase);
  const old = final ? nothing : olderParts(args.released ?? null, phase, switched, plan);
  const present = plan.services.filter((it) => switched.has(it.name));
  const services: [ServiceName, Digest][] = present.map((it) => [it.name, specDigest(it)]);
  return {
    kind: 'release',
    namespace: plan.namespace,
    n,
    at,
    actor,
    deploy,
    planId: plan.id,
    final,
    managedBy: plan.managedBy,
    source: { revision: plan.basis.revision, desiredDigest: plan.basis.desiredDigest },
    services: Object.fromEntries(sortedBy([...old.services, ...services], ([name]) => name)),
    slots: phase.slots.map((slot): SlotRow => ({ ...slot, deploy: slot.deploy ?? deploy })),
    volumes: plan.volumeRows,
    routes: sortedBy([...old.routes, ...present.flatMap(routeRows)], (it) => it.service),
    hostPorts: sortedBy([...old.hostPorts, ...present.flatMap(hostPortRows)], (it) => it.service),
    lineage: {
      previous: args.previous ?? plan.basis.release,
      rollbackTo: plan.rollbackTo,
      ...(plan.forkedFrom && { forkedFrom: plan.forkedFrom }),
      ...(plan.promotedFrom && { promotedFrom: plan.promotedFrom }),
    },
  };
}

interface Parts {
  readonly services: readonly (readonly [ServiceName, Digest])[];
  readonly routes: Release['routes'];
  readonly hostPorts: Release['hostPorts'];
}

const nothing: Parts = { services: [], routes: [], hostPorts: [] };

/** Services whose rows in the table are all of the target's spec; at least one. */
function switchedServices(plan: Plan, phase: Phase): Set<ServiceName> {
  const rows = groupBy(phase.slots, (it) => it.service);
  const switched = plan.services.filter((spec) => {
    const mine = rows.get(spec.name) ?? [];
    const digest = specDigest(spec);
    return mine.length > 0 && mine.every((it) => it.spec === digest);
  });
  return new Set(switched.map((it) => it.name));
}

/** What the services that have not switched still are; one whose rows were all stopped is gone. */
function olderParts(released: Release | null, phase: Phase, switched: ReadonlySet<ServiceName>, plan: Plan): Parts {
  const target = new Set(plan.services.map(specDigest));
  const rows = groupBy(phase.slots, (it) => it.service);
  const known = new Map(Object.entries(released?.services ?? {}));
  const had = new Set(released?.slots.map((it) => it.service));
  for (const [service, slots] of rows) {
    const older = slots.find((it) => !target.has(it.spec));
    if (!known.has(service) && older !== undefined) known.set(service, older.spec);
  }
  const stays = (service: ServiceName) => !switched.has(service) && (rows.has(service) || !had.has(service));
  return {
    services: [...known].filter(([service]) => stays(service)),
    routes: (released?.routes ?? []).filter((it) => stays(it.service)),
    hostPorts: (released?.hostPorts ?? []).filter((it) => stays(it.service)),
  };
}
