/**
 * What a namespace's log was, from what is left of it: entries that git has signed, and what agents last read. Pure. n
 * stays dense: numbers that nobody knows any more become voids that say so.
 */
import { canonicalJson, digestOf } from '../../schemas/canonical.ts';
import type { KnownNamespace } from '../../schemas/known.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { LogEntry, Release } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';

/** What one agent says of the namespace. */
export interface Told extends Omit<KnownNamespace, 'namespace'> {
  readonly machine: string;
  readonly specs: ReadonlyMap<string, ServiceSpec>;
}

export interface ChooseInput {
  readonly namespace: NamespaceName;
  /** Entries that an earlier, cut-off attempt wrote: they stay. */
  readonly present: readonly LogEntry[];
  /** Entries of signed commits; where two say different things, the first is taken. */
  readonly git: readonly LogEntry[];
  readonly told: readonly Told[];
  /** ISO 8601, UTC: of the attempt that began. */
  readonly at: string;
  readonly actor: string;
}

export interface Chosen {
  readonly namespace: NamespaceName;
  /** Dense from 1. */
  readonly entries: readonly LogEntry[];
  /** What is live again, and who knew it; null: nothing is. */
  readonly live: { readonly n: number; readonly from: string } | null;
  /** Numbers of which nobody knows any more what they were. */
  readonly lost: readonly number[];
  /** Sentences for people: what was not believed, and why. */
  readonly refused: readonly string[];
}

/** Stands for deploys of which nothing is left. */
export const LOST_DEPLOY: DeployId = '0'.repeat(16);
const LOST_PLAN = '0'.repeat(64);
export const LOST_REASON = 'lost: rebuilt from git';
const NOT_BELIEVED = 'what agents knew was not believed';
/** An agent that claims to have read further than this beyond what is signed is not believed. */
const MOST_UNKNOWN = 100_000;

/** The log of the namespace as it comes back. */
export function chooseLog(input: ChooseInput): Chosen {
  const { namespace, present, at, actor } = input;
  const refused: string[] = [];
  const byN = new Map<number, LogEntry>(present.map((it) => [it.n, it]));
  const put = (entry: LogEntry, from: string) => {
    const before = byN.get(entry.n);
    if (before === undefined) byN.set(entry.n, entry);
    else if (canonicalJson(before) !== canonicalJson(entry))
      refused.push(`${namespace}@${entry.n} of ${from} is another entry than the one that is signed`);
  };
  for (const it of input.git) put(it, 'a second commit');
  const signedTo = highest(byN);
  const told = input.told.filter(({ machine, tip }) => {
    const far = tip > signedTo + MOST_UNKNOWN;
    if (far)
      refused.push(`machine ${machine} says that it read #${tip} of ${namespace}: that is too far from #${signedTo}`);
    return !far;
  });
  for (const it of toldReleases({ ...input, told }, refused)) put(it.entry, `machine ${it.machine}`);

  const common = { namespace, at, actor };
  const readTo = Math.max(highest(byN), ...told.map((it) => it.tip), 0);
  for (const n of numbers(readTo))
    if (!byN.has(n)) byN.set(n, { ...common, kind: 'void', n, deploy: LOST_DEPLOY, reason: LOST_REASON });
  removeWhatAgentsSawGo({ ...input, told }, byN, readTo);
  const voids = unended([...byN.values()], told).map((deploy, i): LogEntry => {
    const reason = 'its records are lost: rebuilt from git';
    return { ...common, kind: 'void', n: readTo + 1 + i, deploy, reason };
  });
  for (const it of voids) byN.set(it.n, it);
  if (refused.length > 0 && !present.some((it) => isVoid(it, NOT_BELIEVED))) {
    // An agent reads the log again only where it goes on.
    const n = highest(byN) + 1;
    byN.set(n, { ...common, kind: 'void', n, deploy: LOST_DEPLOY, reason: NOT_BELIEVED });
  }
  const entries = [...byN.values()].toSorted((a, b) => a.n - b.n);
  const live = liveOf(entries);
  const signed = input.git.some((it) => it.n === live?.n);
  const from = signed ? 'git' : `machine ${told.find((it) => it.live?.n === live?.n)?.machine ?? 'unknown'}`;
  const lost = entries.filter((it) => isVoid(it, LOST_REASON)).map((it) => it.n);
  return { namespace, entries, live: live && { n: live.n, from }, lost, refused };
}

/** Releases that agents read, as far as nothing speaks against them: of each number one, or what contradicts git. */
function toldReleases(
  { namespace, told, git }: ChooseInput,
  refused: string[],
): { readonly entry: Release; readonly machine: string }[] {
  const byN = new Map<number, { readonly entry: Release; readonly machine: string }>();
  const contradicted = new Set<number>();
  const isSigned = (n: number) => git.some((it) => it.n === n);
  for (const { machine, live, tip, specs } of told) {
    if (live === null) continue;
    const why = isSigned(live.n) ? null : (doesNotFollow(live, git) ?? whyNot(namespace, live, tip, specs));
    const other = byN.get(live.n);
    if (why !== null) refused.push(`${namespace}@${live.n} of machine ${machine}: ${why}`);
    else if (other === undefined) byN.set(live.n, { entry: live, machine });
    else if (canonicalJson(other.entry) !== canonicalJson(live)) {
      contradicted.add(live.n);
      refused.push(`${namespace}@${live.n}: machines ${other.machine} and ${machine} say different things of it`);
    }
  }
  return [...byN].filter(([n]) => !contradicted.has(n) || isSigned(n)).map(([, it]) => it);
}

function doesNotFollow({ lineage }: Release, git: readonly LogEntry[]): string | null {
  const before = git.find((it) => it.n === lineage.previous);
  return before === undefined || before.kind === 'release' ? null : `it follows #${before.n}, which is no release`;
}

function whyNot(namespace: string, live: Release, tip: number, specs: ReadonlyMap<string, ServiceSpec>): string | null {
  if (live.namespace !== namespace) return `it is a release of ${live.namespace}`;
  if (live.n > tip) return `it is newer than what the machine has read (#${tip})`;
  const digests = [...Object.values(live.services), ...live.slots.map((it) => it.spec)];
  const missing = digests.find((it) => specs.get(it) === undefined);
  if (missing !== undefined) return `its spec ${missing} is not there`;
  const wrong = digests.find((it) => digestOf(specs.get(it)) !== it);
  return wrong === undefined ? null : `its spec ${wrong} is another one than its digest says`;
}

/** Whoever read furthest saw that nothing is live: the release that git has last was removed after it. */
function removeWhatAgentsSawGo(
  { namespace, told, at, actor }: ChooseInput,
  byN: Map<number, LogEntry>,
  readTo: number,
) {
  const live = liveOf([...byN.values()].toSorted((a, b) => a.n - b.n));
  const furthest = told.filter((it) => it.tip === readTo);
  if (live === null || live.n >= readTo || furthest.length === 0) return;
  if (furthest.some((it) => it.live !== null)) return;
  const last = byN.get(readTo);
  if (last === undefined || !isVoid(last, LOST_REASON)) return;
  const { volumes } = live;
  const removed = { kind: 'removed', namespace, n: readTo, at, actor, planId: LOST_PLAN, volumes } as const;
  byN.set(readTo, { ...removed, deploy: LOST_DEPLOY });
}

/** Deploys that began and have no end: of the last checkpoint, and those that agents still hold open. */
function unended(entries: readonly LogEntry[], told: readonly Told[]): DeployId[] {
  const ended = new Set(entries.filter((it) => it.kind !== 'job' && !isCheckpoint(it)).map((it) => it.deploy));
  const begun = [...entries.filter(isCheckpoint).map((it) => it.deploy), ...told.flatMap((it) => it.open)];
  return [...new Set(begun)].filter((it) => !ended.has(it)).toSorted();
}

function isVoid(entry: LogEntry, reason: string): boolean {
  return entry.kind === 'void' && entry.reason === reason;
}

function isCheckpoint(entry: LogEntry): boolean {
  return entry.kind === 'release' && !entry.final;
}

function liveOf(entries: readonly LogEntry[]): Release | null {
  const last = entries.findLast((it) => it.kind === 'release' || it.kind === 'removed');
  return last?.kind === 'release' ? last : null;
}

function highest(byN: ReadonlyMap<number, LogEntry>): number {
  return Math.max(0, ...byN.keys());
}

function numbers(to: number): number[] {
  return Array.from({ length: to }, (_, i) => i + 1);
}
