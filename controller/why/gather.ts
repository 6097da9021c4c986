/** Reads what is known of one service into a value. Needs neither a controller, nor git, nor an agent: what is away is said. */
import type { Deploy } from '../../schemas/deploy.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { SlipwayEvent } from '../../schemas/event.ts';
import type { MachineSnapshot } from '../../schemas/observed.ts';
import type { LogEntry, Release } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { templateDigest } from '../../schemas/service.ts';
import type { Store } from '../../store/port.ts';
import { createAgreements } from '../consent/agreements.ts';
import { createFreezes } from '../consent/freezes.ts';
import { type Clock, isoNow } from '../execute/clock.ts';
import type { Deploys } from '../execute/deploys.ts';
import { readSnapshots, readSpecs } from '../execute/situation.ts';
import type { FleetManifests } from '../fleet-manifests.ts';
import type { Namespaces } from '../namespaces.ts';
import { quarantineOf } from '../plan/quarantine.ts';
import { type SlotView, slotViews } from '../slots.ts';
import { readSourceReport } from '../source-report.ts';
import { compareWithGit } from './compare.ts';
import type { DependencyFacts, DriftFacts, FailureFacts, GitFacts, LiveFacts, WhyFacts } from './facts.ts';

/** Events that are looked through for what was healed. */
const EVENTS = 300;
const MAX_DRIFT = 20;
/** One thing that was healed is both in a snapshot and an event, a moment apart. */
const SAME_MS = 5_000;

export interface GatherDeps {
  readonly store: Store;
  readonly deploys: Pick<Deploys, 'list' | 'listOpen'>;
  readonly namespaces: Pick<Namespaces, 'get'>;
  readonly clock: Clock;
  /** Who leads; null: no controller runs. */
  readonly controller: () => Promise<string | null>;
  /** What the tracked branch says now; null: none is followed. @throws SOURCE_UNAVAILABLE and what is wrong with it */
  readonly readFleet: () => Promise<FleetManifests | null>;
}

export async function gatherFacts(deps: GatherDeps, namespace: string, service: string): Promise<WhyFacts> {
  const { store } = deps;
  const [entries, snapshots, record, open, all, controller, leaseHolder, source, events, frozen, pending] =
    await Promise.all([
      store.log.entries(namespace),
      readSnapshots(store),
      deps.namespaces.get(namespace),
      deps.deploys.listOpen(namespace),
      deps.deploys.list(namespace),
      deps.controller(),
      store.leases.holder(['ns', namespace]),
      readSourceReport(store.bucket('cluster')),
      store.events.list(EVENTS),
      createFreezes({ bucket: store.bucket('freezes'), now: () => deps.clock.now() }).holding(namespace),
      createAgreements({ bucket: store.bucket('consents') }).pending(namespace),
    ]);
  const release = await store.log.live(namespace);
  const specs = release === null ? new Map<string, ServiceSpec>() : await readSpecs(store, release);
  const spec = specs.get(release?.services[service] ?? '') ?? null;
  const views = slotViews(release, snapshots);
  return {
    at: isoNow(deps.clock),
    namespace,
    service,
    live: release === null ? null : liveFacts(release, entries, service, spec),
    git: await gitFacts(deps, { namespace, service, before: spec, managedByGit: release?.managedBy === 'git' }),
    record,
    open,
    leaseHolder,
    failure: failureOf(service, all, record.failed?.deploy ?? null, release),
    controller,
    source,
    slots: views.filter((it) => it.service === service),
    dependencies: dependenciesOf(spec, specs, views, entries),
    drift: driftOf(namespace, service, snapshots, events),
    frozen,
    pending: pending.filter((it) => it.release === (release?.n ?? null)),
    quarantined: quarantineOf(entries).filter((it) => it.service === service),
  };
}

async function gitFacts(
  { readFleet }: GatherDeps,
  args: Omit<Parameters<typeof compareWithGit>[0], 'fleet'>,
): Promise<GitFacts> {
  try {
    const fleet = await readFleet();
    return fleet === null ? { kind: 'none' } : compareWithGit({ ...args, fleet });
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    if (error.code === 'SETTINGS_INVALID')
      return { kind: 'invalid', revision: '', problems: error.message.split('\n') };
    return { kind: 'unavailable', message: error.message };
  }
}

function liveFacts(
  release: Release,
  entries: readonly LogEntry[],
  service: string,
  spec: ServiceSpec | null,
): LiveFacts {
  const { n, managedBy } = release;
  const common = { n, managedBy, revision: release.source.revision };
  if (spec === null) return { ...common, service: null };
  const digest = release.services[service];
  const releases = entries.filter((it) => it.kind === 'release' || it.kind === 'removed');
  const other = releases.findLastIndex((it) => it.kind === 'removed' || it.services[service] !== digest);
  const since = releases[other + 1] ?? release;
  const template = templateDigest(spec);
  const job = entries.findLast((it) => it.kind === 'job' && it.service === service && it.template === template);
  const jobEnd = job?.kind === 'job' ? { exitCode: job.exitCode, at: job.at } : null;
  return { ...common, service: { since: since.n, at: since.at, by: since.actor, job: spec.job, jobEnd } };
}

/** The deploy that the loop gave up on, or the last one, unless what is live is newer. */
function failureOf(
  service: string,
  all: readonly Deploy[],
  ofLoop: string | null,
  release: Release | null,
): FailureFacts | null {
  const last = all.findLast((it) => it.endedAt !== null);
  const found = all.find((it) => it.id === ofLoop) ?? last;
  const failure = found?.failure ?? null;
  if (found === undefined || failure === null) return null;
  if (release !== null && found.id !== ofLoop && found.startedAt < release.at && !found.releases.includes(release.n))
    return null;
  const { code, message, evidence } = failure;
  const own = evidence.filter((it) => it.slot === service || it.slot.startsWith(`${service}.`));
  return {
    deploy: found.id,
    at: found.startedAt,
    by: found.actor,
    code,
    message,
    evidence: own.length > 0 ? own : evidence,
  };
}

function dependenciesOf(
  spec: ServiceSpec | null,
  specs: ReadonlyMap<string, ServiceSpec>,
  views: readonly SlotView[],
  entries: readonly LogEntry[],
): DependencyFacts[] {
  return Object.entries(spec?.dependsOn ?? {}).map(([service, condition]) => {
    if (condition === 'completed') {
      const other = [...specs.values()].find((it) => it.name === service);
      const template = other === undefined ? null : templateDigest(other);
      const end = entries.findLast((it) => it.kind === 'job' && it.service === service && it.template === template);
      const exitCode = end?.kind === 'job' ? end.exitCode : null;
      const state = exitCode === null ? 'not over' : `over with exit code ${exitCode}`;
      return { service, condition, met: exitCode === 0, state };
    }
    const states = views.filter((it) => it.service === service).map((it) => it.state);
    const good = condition === 'ready' ? ['ready'] : ['ready', 'starting', 'unready'];
    const bad = states.filter((it) => !good.includes(it));
    const state = states.length === 0 ? 'not live' : [...new Set(bad)].join(' and ');
    return { service, condition, met: states.length > 0 && bad.length === 0, state };
  });
}

/** What agents say they healed, and what events say of it that snapshots have forgotten. */
function driftOf(
  namespace: string,
  service: string,
  snapshots: readonly MachineSnapshot[],
  events: readonly SlipwayEvent[],
): DriftFacts[] {
  const mine = (slot: string) => slot.startsWith(`${service}.`);
  const seen = snapshots
    .flatMap((it) => it.drift)
    .filter((it) => it.namespace === namespace && mine(it.slot))
    .map(({ at, slot, what }) => ({ at, slot, what }));
  const told = events
    .filter((it) => it.kind === 'drift.healed' && it.namespace === namespace)
    .map(({ at, message }) => ({ at, ...split(message) }))
    .filter((it) => mine(it.slot));
  const isSeen = (it: DriftFacts) =>
    seen.some(
      (other) =>
        other.slot === it.slot &&
        other.what === it.what &&
        Math.abs(Date.parse(other.at) - Date.parse(it.at)) < SAME_MS,
    );
  return [...seen, ...told.filter((it) => !isSeen(it))].toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-MAX_DRIFT);
}

function split(message: string): { slot: string; what: string } {
  const colon = message.indexOf(': ');
  return { slot: message.slice(0, Math.max(0, colon)), what: message.slice(colon + 2) };
}
