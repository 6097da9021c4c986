/** The situation of a namespace, read once into a value; planning works on that value and on nothing else. */
import { Machine, MachineSnapshot } from '../../schemas/observed.ts';
import type { LogEntry, Release, SlotRow, VolumeRow } from '../../schemas/release.ts';
import { ServiceSpec } from '../../schemas/service.ts';
import type { Store } from '../../store/port.ts';
import type { MachineView, PlanInput } from '../plan/input.ts';
import { contentDigest, type QuarantinedSpec, quarantineOf } from '../plan/quarantine.ts';
import { liveReleases } from './preflight.ts';

export type Situation = Pick<
  PlanInput,
  'tip' | 'released' | 'machines' | 'finishedJobs' | 'others' | 'volumeRows' | 'keptRows' | 'quarantined'
> & {
  /** What each machine last reported; a machine that is missing here is unknown, never empty. */
  readonly snapshots: readonly MachineSnapshot[];
};

/** Reads the log from the leader, machines and their last reports. */
export async function readSituation(store: Store, namespace: string): Promise<Situation> {
  const [tip, others, snapshots, registered] = await Promise.all([
    store.log.tip(namespace),
    liveReleases({ store }, namespace),
    readSnapshots(store),
    store.bucket('machines').list(),
  ]);
  const entries = await store.log.entries(namespace);
  const live = liveOf(entries);
  const specs = live === null ? new Map<string, ServiceSpec>() : await readSpecs(store, live);
  const machines = registered.map((it) => Machine.parse(it.value));
  return {
    tip,
    released: live === null ? null : { release: live, specs },
    machines: machines
      .map((machine) => viewOf(machine, snapshots))
      .toSorted((a, b) => (a.machine.name < b.machine.name ? -1 : 1)),
    finishedJobs: finishedJobs(entries),
    others,
    volumeRows: volumesOf(entries),
    keptRows: keptRows(namespace, live, snapshots),
    quarantined: await readQuarantined(store, entries),
    snapshots,
  };
}

async function readQuarantined(store: Store, entries: readonly LogEntry[]): Promise<QuarantinedSpec[]> {
  return await Promise.all(
    quarantineOf(entries).map(async (it) => ({
      ...it,
      content: contentDigest(ServiceSpec.parse(await store.specs.get(it.spec))),
    })),
  );
}

/** Specs of every service and slot row of a release, by digest. */
export async function readSpecs(store: Store, release: Release): Promise<Map<string, ServiceSpec>> {
  const digests = [...new Set([...Object.values(release.services), ...release.slots.map((it) => it.spec)])];
  const values = await Promise.all(digests.map((digest) => store.specs.get(digest)));
  return new Map(digests.map((digest, i) => [digest, ServiceSpec.parse(values[i])]));
}

/** The reports that have not expired. */
export async function readSnapshots(store: Store): Promise<MachineSnapshot[]> {
  const entries = await store.bucket('observed').list();
  return entries.map((it) => MachineSnapshot.parse(it.value));
}

/** The highest release, unless the namespace was removed after it. */
function liveOf(entries: readonly LogEntry[]): Release | null {
  const last = entries.findLast((it) => it.kind === 'release' || it.kind === 'removed');
  return last?.kind === 'release' ? last : null;
}

function volumesOf(entries: readonly LogEntry[]): VolumeRow[] {
  const last = entries.findLast((it) => it.kind === 'release' || it.kind === 'removed');
  return last === undefined || (last.kind !== 'release' && last.kind !== 'removed') ? [] : last.volumes;
}

/** A fork that was removed lost its volumes, and with them what its jobs did: they run again. */
function finishedJobs(entries: readonly LogEntry[]): { service: string; template: string }[] {
  const removed = entries.findLastIndex((it) => it.kind === 'removed');
  const before = entries.slice(0, removed).findLast((it) => it.kind === 'release');
  const begins = removed >= 0 && before?.kind === 'release' && before.managedBy === 'preview' ? removed + 1 : 0;
  return entries
    .slice(begins)
    .flatMap((it) => (it.kind === 'job' && it.exitCode === 0 ? [{ service: it.service, template: it.template }] : []));
}

/** Instances that still run though the live release does not name them (a blue-green hold). */
function keptRows(namespace: string, live: Release | null, snapshots: readonly MachineSnapshot[]): SlotRow[] {
  const key = (it: { slot: string; deploy: string }) => `${it.slot} ${it.deploy}`;
  const named = new Set(live?.slots.map(key));
  return snapshots
    .flatMap((it) => it.instances)
    .filter(
      (it) => it.namespace === namespace && (it.state === 'ready' || it.state === 'draining') && !named.has(key(it)),
    )
    .map(({ slot, service, machine, spec, template, deploy }) => ({ slot, service, machine, spec, template, deploy }))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function viewOf(machine: Machine, snapshots: readonly MachineSnapshot[]): MachineView {
  const snapshot = snapshots.find((it) => it.machine === machine.name);
  return { machine, memoryBytes: snapshot?.memoryBytes ?? null, cpuMillicores: snapshot?.cpuMillicores ?? null };
}
