/**
 * The state from git and agents, into an empty store. Every write is an "ensure" in an order that makes nothing act
 * before the end: a rebuild that was cut off is run again.
 */
import { z } from 'zod';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Known } from '../../schemas/known.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { raiseGeneration } from '../../store/generation.ts';
import type { Store } from '../../store/port.ts';
import type { TrustedKeys } from '../../trust/signed-body.ts';
import { createFreezes } from '../consent/freezes.ts';
import type { Repository } from '../git/repository.ts';
import type { Workshop } from '../git/workshop.ts';
import { createNamespaces } from '../namespaces.ts';
import { contentsOf, type ForeignRef, readAllCommits } from '../record/read-ledger.ts';
import { specsNamedBy } from '../record/tree.ts';
import { createCursor } from '../source/cursor.ts';
import { saveTracked, type Tracked } from '../tracked.ts';
import { type Chosen, chooseLog } from './choose.ts';
import { type LostSecret, lostRecord, lostSecrets } from './lost-secrets.ts';

export interface RebuildDeps {
  readonly store: Store;
  readonly repository: Repository;
  readonly workshop: Pick<Workshop, 'fetchRef' | 'listRefs' | 'rawCommit'>;
  readonly trusted: TrustedKeys;
  readonly tracked: Tracked;
  readonly installation: string;
  readonly actor: string;
  /** What each agent still knows. */
  readonly known: readonly Known[];
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly note: (text: string) => void;
}

export interface Rebuilt {
  readonly namespaces: readonly Chosen[];
  readonly generation: number;
  /** Refs that lead to nothing that was signed. */
  readonly foreign: readonly ForeignRef[];
  /** Commits whose signature is right and whose tree is not what Slipway writes. */
  readonly damaged: readonly string[];
  readonly secrets: readonly LostSecret[];
  readonly held: readonly string[];
}

const Marker = z.strictObject({ at: z.iso.datetime(), location: z.string(), branch: z.string() });
const MARKER = ['rebuild'];
const MS_PER_SECOND = 1_000;

/** @throws SETUP_FAILED when the store holds something that no rebuild wrote, SOURCE_UNAVAILABLE */
export async function rebuild(deps: RebuildDeps, signal: AbortSignal): Promise<Rebuilt> {
  const { store, note, actor } = deps;
  const began = await unfinished(deps);
  note(`reading the releases of ${deps.repository.name}`);
  // Before anything is written: a repository that cannot be read leaves nothing behind.
  const tip = await deps.repository.tip(signal);
  const fromGit = await readGit(deps, signal);
  const at = began ?? deps.at;
  if (began === null) await store.bucket('cluster').create(MARKER, { at, ...deps.tracked });
  const freezes = createFreezes({ bucket: store.bucket('freezes'), now: () => Date.parse(at) });
  await freezes.set({ scope: '*', by: actor, why: `rebuilt from ${deps.repository.name}`, at, until: null });
  const generation = await raiseGeneration(store.bucket('cluster'), {
    installation: deps.installation,
    atLeast: Math.max(Math.floor(Date.parse(at) / MS_PER_SECOND), highestGeneration(deps.known) + 1),
  });

  const namespaces = await chooseAll(deps, fromGit.entries, at);
  const specs = new Map([...deps.known.flatMap((it) => Object.entries(it.specs)), ...fromGit.specs]);
  for (const it of namespaces) {
    note(`writing ${it.entries.length} log entries of ${it.namespace}`);
    await writeLog(store, it.entries, specs);
  }
  const log = namespaces.flatMap((it) => it.entries);
  const secrets = lostSecrets(log, specs);
  for (const it of secrets) await ensureSecret(store, it, at, actor);
  const held = await rememberAll(deps, namespaces, at);
  await createCursor(store.bucket('cursors'), deps.repository).save(tip);
  await saveTracked(store.bucket('cluster'), deps.tracked);
  await end(deps, at);
  return { namespaces, generation, foreign: fromGit.foreign, damaged: fromGit.damaged, secrets, held };
}

/** When the rebuild that was cut off began; null: there was none, and the state is empty. @throws SETUP_FAILED */
async function unfinished({ store, tracked }: RebuildDeps): Promise<string | null> {
  const before = await store.bucket('cluster').get(MARKER);
  if (before !== null) {
    const marker = Marker.parse(before.value);
    if (marker.location === tracked.location && marker.branch === tracked.branch) return marker.at;
    throw new SlipwayError(
      'SETUP_FAILED',
      `a rebuild from ${marker.location}, branch ${marker.branch}, has not ended: give that repository again`,
    );
  }
  const namespaces = await store.log.namespaces();
  if (namespaces.length > 0)
    throw new SlipwayError(
      'SETUP_FAILED',
      `the state is not empty: its log knows ${namespaces.slice(0, 5).join(', ')}. A rebuild is for a state that is lost; \`slipway status\` shows what this one says`,
    );
  return null;
}

async function end({ store, repository, actor }: RebuildDeps, at: string): Promise<void> {
  const about = { namespace: null, deploy: null, machine: null, actor };
  await store.events.publish({ at, kind: 'state.rebuilt', ...about, message: `from ${repository.name}` });
  await store.bucket('cluster').delete(MARKER);
}

async function readGit(deps: RebuildDeps, signal: AbortSignal) {
  const { commits, foreign } = await readAllCommits(deps, signal);
  const entries: LogEntry[] = [];
  const specs = new Map<string, ServiceSpec>();
  const damaged: string[] = [];
  for (const commit of commits) {
    const contents = await contentsOf(deps.repository, commit, signal);
    if (contents.problems.length > 0) {
      damaged.push(`${commit.revision.slice(0, 10)}: ${contents.problems[0]}`);
      continue;
    }
    entries.push(...contents.entries);
    for (const [digest, spec] of contents.specs) specs.set(digest, spec);
  }
  return { entries, specs, foreign, damaged };
}

async function chooseAll(deps: RebuildDeps, git: readonly LogEntry[], at: string): Promise<Chosen[]> {
  const { store, known, actor } = deps;
  const told = known.flatMap(({ machine, namespaces, specs }) =>
    namespaces.map((it) => ({ ...it, machine, specs: new Map(Object.entries(specs)) })),
  );
  const names = new Set([...git.map((it) => it.namespace), ...told.map((it) => it.namespace)]);
  const chosen: Chosen[] = [];
  for (const namespace of [...names].toSorted()) {
    const of = <T extends { namespace: string }>(all: readonly T[]) => all.filter((it) => it.namespace === namespace);
    const present = await store.log.entries(namespace);
    chosen.push(chooseLog({ namespace, present, git: of(git), told: of(told), at, actor }));
  }
  // An agent may have heard of a namespace whose first deploy never began.
  return chosen.filter((it) => it.entries.length > 0);
}

async function writeLog(
  store: Store,
  entries: readonly LogEntry[],
  specs: ReadonlyMap<string, ServiceSpec>,
): Promise<void> {
  for (const entry of entries) {
    // Before the entry: it never names a spec that is not there.
    await store.specs.put(specsNamedBy(entry).map((it) => specs.get(it)));
    const { outcome } = await store.log.append(entry);
    if (outcome === 'lost')
      throw new SlipwayError(
        'STATE_CONFLICT',
        `somebody else wrote entry ${entry.n} of ${entry.namespace}: end what deploys there, then run the rebuild again`,
      );
  }
}

async function ensureSecret(store: Store, secret: LostSecret, at: string, by: string): Promise<void> {
  const bucket = store.bucket('secrets');
  const key = [secret.namespace, secret.name];
  if ((await bucket.get(key)) === null) await bucket.create(key, lostRecord(secret, at, by));
}

/** What the loop knew of each namespace, as far as its log says it; gives those that are held. */
async function rememberAll({ store, actor }: RebuildDeps, all: readonly Chosen[], at: string): Promise<string[]> {
  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const held: string[] = [];
  for (const { namespace, live, entries } of all) {
    const entry = entries.find((it) => it.n === live?.n);
    if (entry?.kind !== 'release' || entry.managedBy === 'preview') continue;
    const { source, lineage } = entry;
    // Who held it and why is lost; that somebody did something by hand is not.
    const byHand = source.revision === null || lineage.rollbackTo !== null || entry.managedBy === 'manual';
    const why = `#${entry.n} was ${lineage.rollbackTo === null ? 'deployed by hand' : 'a rollback'} before the state was rebuilt`;
    const hold = { by: actor, why, at, desiredDigest: null };
    await namespaces.change(namespace, (it) => ({
      ...it,
      carriedOut: source.desiredDigest,
      held: byHand ? (it.held ?? hold) : it.held,
    }));
    if (byHand) held.push(namespace);
  }
  return held;
}

function highestGeneration(known: readonly Known[]): number {
  return Math.max(0, ...known.flatMap((it) => it.namespaces.map(({ fence }) => fence?.generation ?? 0)));
}
