/** The scene: journal, containers and health put together; what is probed, reported, routed and observed follows from it. */
import { routingTable } from '../routing/table.ts';
import type { InstanceReport, MachineSnapshot } from '../schemas/observed.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import { desiredInstances, knownRows, swappedIn } from './desired.ts';
import { instanceKey } from './identity.ts';
import type { Instances } from './instances.ts';
import type { Journal } from './journal.ts';
import type { Gateway } from './ports.ts';
import type { Probed, Prober } from './prober.ts';
import { addressOf, instanceReports } from './reports.ts';
import type { Routed } from './router.ts';
import type { Seen, World } from './world.ts';

/** How long after our start an adopted instance may be without a verdict before it counts as serving, as it did. */
const UNDECIDED_MS = 10_000;

export interface Scene {
  /** Every running instance whose spec is known is probed from now on. */
  watchInstances(): void;
  /** The log was read once, or the journal knows from before: nothing to route means nothing to route. */
  markKnown(): void;
  /** null: too little is known to route by. */
  routed(): Routed | null;
  /** null: too little is known to report. */
  snapshot(
    applied: Readonly<Record<string, number>>,
    drift: readonly MachineSnapshot['drift'][number][],
  ): Omit<MachineSnapshot, 'at'> | null;
  /** What another machine reports. */
  setOther(machine: string, reports: readonly InstanceReport[]): void;
  setCapacity(capacity: {
    readonly cpuMillicores: number;
    readonly memoryBytes: number;
    readonly docker: string;
  }): void;
}

export interface SceneDeps {
  readonly machine: string;
  readonly journal: Journal;
  readonly world: Pick<World, 'containers'>;
  readonly prober: Pick<Prober, 'watch' | 'health'>;
  readonly instances: Pick<Instances, 'draining'>;
  readonly gateway: Pick<Gateway, 'status'>;
  readonly bornAt: number;
  readonly now: () => number;
  readonly versions: Readonly<Record<string, string>>;
}

export function createScene(deps: SceneDeps): Scene {
  const { machine, journal, world, prober, instances, gateway, bornAt, now, versions } = deps;
  const others = new Map<string, readonly InstanceReport[]>();
  let known = journal.namespaces().length > 0;
  let capacity = { cpuMillicores: 0, memoryBytes: 0, docker: '' };

  const views = () => journal.namespaces().map((it) => journal.view(it));
  const keyOf = ({ identity: it }: Seen) => `${it.namespace}/${instanceKey(it)}`;
  const rowsByKey = () =>
    new Map(
      views().flatMap((view) => [...knownRows(view, machine)].map(([key, row]) => [`${view.namespace}/${key}`, row])),
    );

  function watchInstances(): void {
    const rows = rowsByKey();
    const targets = (world.containers() ?? []).flatMap((container): Probed[] => {
      const row = rows.get(keyOf(container));
      const spec = row === undefined ? null : journal.spec(row.spec);
      if (spec === null || container.identity.job || container.state !== 'running') return [];
      return [{ container, address: addressOf(container), readiness: spec.readiness }];
    });
    prober.watch(targets);
  }

  function isDecided(containers: readonly Seen[]): boolean {
    if (now() - bornAt > UNDECIDED_MS) return true;
    const desired = new Set(
      views().flatMap((view) => desiredInstances(view, machine).map((it) => `${it.namespace}/${instanceKey(it.row)}`)),
    );
    return containers.every((it) => {
      if (it.identity.job || it.state !== 'running' || !desired.has(keyOf(it))) return true;
      const health = prober.health(it);
      return health !== null && health.phase !== 'undecided';
    });
  }

  /** null until the engine was listed and every instance that may be serving has a verdict. */
  function reports(): InstanceReport[] | null {
    const containers = world.containers();
    if (containers === null) return null;
    watchInstances();
    if (!isDecided(containers)) return null;
    return instanceReports({
      machine,
      containers: containers.filter((it) => !it.identity.job),
      rows: rowsByKey(),
      viaSwap: new Set(views().flatMap((view) => [...swappedIn(view)].map((key) => `${view.namespace}/${key}`))),
      draining: instances.draining(),
      health: (it) => prober.health(it),
    });
  }

  /** Jobs serve nothing, but they live in their namespace: they may reach it and ask for its names. */
  function jobMembers() {
    return (world.containers() ?? []).flatMap((it) => {
      const address = it.identity.job && !it.hostNetwork ? addressOf(it) : null;
      return address === null ? [] : [{ address, namespace: it.identity.namespace }];
    });
  }

  return {
    watchInstances,
    markKnown: () => {
      known = true;
    },
    routed() {
      const own = known ? reports() : null;
      if (own === null) return null;
      const live = views().flatMap((view) => (view.live === null ? [] : [{ view, release: view.live }]));
      const table = routingTable({
        releases: live.map(({ release }) => ({ release, specs: specsOf(release, journal) })),
        reports: [...own, ...[...others.values()].flat()],
        machine,
      });
      return {
        table: { ...table, members: [...table.members, ...jobMembers()] },
        applied: Object.fromEntries(views().map((it) => [it.namespace, it.tip])),
      };
    },
    snapshot(applied, drift) {
      const own = reports();
      if (own === null || capacity.memoryBytes === 0) return null;
      const { cpuMillicores, memoryBytes, docker } = capacity;
      const { httpPort, problems } = gateway.status();
      return {
        machine,
        applied: { ...applied },
        instances: own,
        cpuMillicores,
        memoryBytes,
        gateway: { httpPort, problems: [...problems] },
        versions: { ...versions, docker },
        drift: [...drift],
      };
    },
    setOther: (name, found) => others.set(name, found),
    setCapacity: (it) => {
      capacity = it;
    },
  };
}

function specsOf(
  release: {
    readonly services: Readonly<Record<string, string>>;
    readonly slots: readonly { readonly spec: string }[];
  },
  journal: Pick<Journal, 'spec'>,
): Map<string, ServiceSpec> {
  const digests = [...Object.values(release.services), ...release.slots.map((it) => it.spec)];
  return new Map(
    digests.flatMap((digest) => {
      const spec = journal.spec(digest);
      return spec === null ? [] : [[digest, spec] as const];
    }),
  );
}
