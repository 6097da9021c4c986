/** Volumes: where the log says they lie, what agents really have, and who mounts them. */
import { z } from 'zod';
import { isSlipwayError } from '../../schemas/errors.ts';
import { Machine } from '../../schemas/observed.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { Store } from '../../store/port.ts';
import { askAgent } from './ask-agent.ts';
import { readSpecs } from './situation.ts';

const ASK_TIMEOUT_MS = 2_000;
const ASK_PATIENCE_MS = 5_000;

const VolumesReply = z.object({ volumes: z.array(z.object({ namespace: z.string(), volume: z.string() })) });

export interface VolumeStatus {
  readonly namespace: string;
  readonly volume: string;
  readonly machine: string;
  /** Services of the live release that mount it, in order. */
  readonly users: readonly string[];
  /** Whether the log says that it lies there. false: left over by a deploy or a removal that did not end. */
  readonly named: boolean;
  /** Whether the machine has it; null: it does not answer. */
  readonly present: boolean | null;
}

/** Every volume of every namespace, in order of namespace, name and machine. */
export async function readVolumes(store: Store): Promise<VolumeStatus[]> {
  const [namespaces, machines] = await Promise.all([store.log.namespaces(), store.bucket('machines').list()]);
  const [named, present] = await Promise.all([
    Promise.all(namespaces.map((it) => namedVolumes(store, it))),
    Promise.all(machines.map((it) => presentVolumes(store, Machine.parse(it.value).name))),
  ]);
  return mergeVolumes(named.flat(), new Map(present));
}

type Named = Pick<VolumeStatus, 'namespace' | 'volume' | 'machine' | 'users'>;
type Place = Pick<VolumeStatus, 'namespace' | 'volume'>;

/** What the log names and what machines have, as one list. Pure. */
export function mergeVolumes(
  named: readonly Named[],
  present: ReadonlyMap<string, readonly Place[] | null>,
): VolumeStatus[] {
  const key = (it: Named) => `${it.namespace}/${it.volume} ${it.machine}`;
  const found = [...present].flatMap(([machine, places]) =>
    (places ?? []).map(({ namespace, volume }) => ({ namespace, volume, machine, users: [] })),
  );
  const [names, there] = [new Set(named.map(key)), new Set(found.map(key))];
  const rows = [
    ...named.map((it) => ({
      ...it,
      named: true,
      present: (present.get(it.machine) ?? null) === null ? null : there.has(key(it)),
    })),
    ...found.filter((it) => !names.has(key(it))).map((it) => ({ ...it, named: false, present: true })),
  ];
  return rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The entry that says what a namespace has: its last release, or its removal. */
export function lastStanding(entries: readonly LogEntry[]): Extract<LogEntry, { volumes: unknown }> | null {
  return entries.findLast((it) => it.kind === 'release' || it.kind === 'removed') ?? null;
}

async function namedVolumes(store: Store, namespace: string): Promise<Named[]> {
  const last = lastStanding(await store.log.entries(namespace));
  if (last === null) return [];
  const specs = last.kind === 'release' ? [...(await readSpecs(store, last)).values()] : [];
  return last.volumes.map(({ volume, machine }) => ({ namespace, volume, machine, users: usersOf(specs, volume) }));
}

function usersOf(specs: readonly ServiceSpec[], volume: string): string[] {
  const mounting = specs.filter((it) => it.template.mounts.some((m) => m.kind === 'volume' && m.volume === volume));
  return [...new Set(mounting.map((it) => it.name))].toSorted();
}

async function presentVolumes(store: Store, machine: string): Promise<[string, Place[] | null]> {
  const limits = { timeoutMs: ASK_TIMEOUT_MS, patienceMs: ASK_PATIENCE_MS };
  try {
    const answer = await askAgent({ messages: store.messages, machine, question: 'volumes', payload: {}, ...limits });
    return [machine, VolumesReply.parse(answer).volumes];
  } catch (error) {
    if (!isSlipwayError(error, 'MACHINE_UNREACHABLE')) throw error;
    return [machine, null];
  }
}
