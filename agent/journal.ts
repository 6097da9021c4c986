/**
 * The journal: what the agent must know after a crash, fsynced before it is acted on (fences, closed and open deploys,
 * swaps), and what it needs to heal and serve with NATS down (last releases and their specs).
 *
 * Files: `<folder>/namespaces/<ns>/{operations,release}.json`, `<folder>/specs/<digest>.json`.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../schemas/canonical.ts';
import type { ServiceSpec } from '../schemas/service.ts';
import type { Fence } from '../schemas/step.ts';
import { writeDurable } from '../store/durable-file.ts';
import type { TracePoint } from '../store/trace.ts';
import { createDurableRecord, type DurableRecord } from './durable-record.ts';
import {
  type LastKnown,
  type NamespaceView,
  NO_OPERATIONS,
  NOTHING_KNOWN,
  type Operations,
  withFence,
} from './journal-records.ts';
import { createLimit } from './locks.ts';
import { createBell, type Subscribe } from './waiting.ts';

export interface Journal {
  /** Namespaces that the agent ever heard of, in order. */
  namespaces(): string[];
  view(namespace: string): NamespaceView;
  /** null: never kept. */
  spec(digest: string): ServiceSpec | null;
  /** Resolves once the change, and every earlier one of the namespace, is on the disk. `what` names it in traces. */
  change(namespace: string, what: string, edit: (ops: Operations) => Operations): Promise<void>;
  /** The highest fence of the namespace is on the disk and at least this one; false: it is higher. */
  raiseFence(namespace: string, fence: Fence): Promise<boolean>;
  /** What the log said last is on the disk. Its specs must have been kept before. */
  learn(namespace: string, known: LastKnown): Promise<void>;
  /** The specs are on the disk. */
  keepSpecs(specs: Readonly<Record<string, ServiceSpec>>): Promise<void>;
  /** Rings after each change. */
  readonly subscribe: Subscribe;
  /** Namespace → the specs that its release, candidates and swaps name. */
  specsInUse(): Map<string, ServiceSpec[]>;
  /** Removes specs that no release, candidate or swap names, now and at the call before. */
  forgetSpecs(): Promise<void>;
}

export interface JournalDeps {
  readonly folder: string;
  readonly trace: TracePoint;
}

interface Files {
  readonly operations: DurableRecord<Operations>;
  readonly known: DurableRecord<LastKnown>;
}

/** Reads the journal of an earlier run; unreadable files are an error, because fences would be lost with them. */
export async function openJournal({ folder, trace }: JournalDeps): Promise<Journal> {
  const root = join(folder, 'namespaces');
  const specFolder = join(folder, 'specs');
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(specFolder, { recursive: true, mode: 0o700 });
  const namespaces = new Map<string, Files>();
  const specs = new Map<string, ServiceSpec>();
  for (const it of await readdir(root)) namespaces.set(it, await open(it));
  for (const it of await readdir(specFolder)) {
    if (it.endsWith('.json')) specs.set(it.slice(0, -'.json'.length), await parsed(join(specFolder, it)));
  }
  const bell = createBell();
  let suspects = new Set<string>();
  const writeLimit = createLimit(16);
  const opening = createLimit(1);

  async function open(namespace: string): Promise<Files> {
    const at = join(root, namespace);
    await mkdir(at, { recursive: true, mode: 0o700 });
    const record = async <T>(name: string, initial: T) =>
      createDurableRecord<T>({
        path: join(at, `${name}.json`),
        initial: await parsed(join(at, `${name}.json`), initial),
      });
    return { operations: await record('operations', NO_OPERATIONS), known: await record('release', NOTHING_KNOWN) };
  }

  async function files(namespace: string): Promise<Files> {
    return await opening(async () => {
      const known = namespaces.get(namespace) ?? (await open(namespace));
      namespaces.set(namespace, known);
      return known;
    });
  }

  async function traced(point: string, write: () => Promise<void>): Promise<void> {
    trace(`journal.${point}`);
    await write();
    trace(`journal.${point}.written`);
    bell.ring();
  }

  const journal: Journal = {
    namespaces: () => [...namespaces.keys()].toSorted(),
    view(namespace) {
      const it = namespaces.get(namespace);
      return { namespace, ...(it?.operations.value() ?? NO_OPERATIONS), ...(it?.known.value() ?? NOTHING_KNOWN) };
    },
    spec: (digest) => specs.get(digest) ?? null,
    subscribe: bell.subscribe,
    async change(namespace, what, edit) {
      const { operations } = await files(namespace);
      const before = operations.value();
      // Nothing to write, but an earlier change may still be on its way to the disk.
      if (edit(before) === before) await operations.change((it) => it);
      else await traced(what, () => operations.change(edit));
    },
    async raiseFence(namespace, fence) {
      const { operations } = await files(namespace);
      const before = operations.value();
      const after = withFence(before, fence);
      if (after === before) await operations.change((it) => it);
      else await traced('fence', () => operations.change((it) => withFence(it, fence)));
      const now = operations.value().fence;
      return now?.generation === fence.generation && now.revision === fence.revision;
    },
    async learn(namespace, known) {
      const { known: record } = await files(namespace);
      if (canonicalJson(record.value()) === canonicalJson(known)) await record.change((it) => it);
      else await traced('release', () => record.change(() => known));
    },
    async keepSpecs(more) {
      const missing = Object.entries(more).filter(([digest]) => !specs.has(digest));
      if (missing.length === 0) return;
      await traced('specs', () =>
        Promise.all(
          missing.map(([digest, spec]) =>
            writeLimit(async () => {
              await writeDurable(join(specFolder, `${digest}.json`), JSON.stringify(spec));
              specs.set(digest, spec);
            }),
          ),
        ).then(() => {}),
      );
    },
    specsInUse: () =>
      new Map(
        journal.namespaces().map((it) => {
          const digests = [...digestsOf(journal.view(it))];
          return [it, digests.map((digest) => specs.get(digest)).filter((spec) => spec !== undefined)];
        }),
      ),
    async forgetSpecs() {
      const used = new Set(journal.namespaces().flatMap((it) => [...digestsOf(journal.view(it))]));
      // Specs are kept before the record that names them is written: one unused call may fall between the two.
      const unused = [...specs.keys()].filter((it) => !used.has(it));
      const again = unused.filter((it) => suspects.has(it));
      suspects = new Set(unused);
      for (const digest of again) {
        specs.delete(digest);
        await rm(join(specFolder, `${digest}.json`), { force: true });
      }
    },
  };
  return journal;
}

function digestsOf({ live, open, swaps }: NamespaceView): Set<string> {
  const rows = [
    ...(live?.slots ?? []),
    ...Object.values(open).flatMap((it) => it.candidates),
    ...swaps.flatMap((it) => [...it.stops, ...it.starts]),
  ];
  return new Set([...Object.values(live?.services ?? {}), ...rows.map((it) => it.spec)]);
}

async function parsed<T>(path: string, initial?: T): Promise<T> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (initial !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return initial;
    throw new Error(`the agent's journal cannot be read: ${path}`, { cause: error });
  }
}
