/**
 * Reads the ledger from the repository: commits by their signed content, from every ref as an entry point. A commit says
 * itself which entry it holds, so what a ref was moved to decides nothing.
 */

import { LEDGER_PREFIX, ledgerRef } from '../../schemas/ledger.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { TrustedKeys } from '../../trust/signed-body.ts';
import type { Repository } from '../git/repository.ts';
import type { Workshop } from '../git/workshop.ts';
import { type LedgerCommit, readLedgerCommit } from './ledger-commit.ts';
import { readTree, type TreeContents } from './tree.ts';

export interface ReadLedgerDeps {
  readonly workshop: Pick<Workshop, 'fetchRef' | 'listRefs' | 'rawCommit'>;
  readonly trusted: TrustedKeys;
}

/** A ref that does not lead to a commit of ours. */
export interface ForeignRef {
  readonly ref: string;
  readonly revision: Revision;
  readonly why: string;
}

/** So many commits that nobody signed are looked behind, in case ours lie below them. */
const MOST_FOREIGN = 50;

/** Namespaces that have a ref, and what it points to. @throws SOURCE_UNAVAILABLE */
export async function ledgerNamespaces(
  workshop: Pick<Workshop, 'listRefs'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<NamespaceName, Revision>> {
  const refs = await workshop.listRefs(LEDGER_PREFIX, signal);
  return new Map([...refs].map(([ref, revision]) => [ref.slice(LEDGER_PREFIX.length), revision]));
}

/** One commit, here already. @throws SOURCE_UNAVAILABLE */
export async function readCommit(deps: ReadLedgerDeps, revision: Revision): Promise<LedgerCommit> {
  return readLedgerCommit(revision, await deps.workshop.rawCommit(revision), deps.trusted);
}

/**
 * Commits of one namespace's ref, newest first, along its own history; what nobody trusted signed is among them, and
 * says so. null: there is no such ref. @throws SOURCE_UNAVAILABLE
 */
export async function historyOf(
  deps: ReadLedgerDeps,
  args: { readonly namespace: NamespaceName; readonly most: number },
  signal: AbortSignal,
): Promise<LedgerCommit[] | null> {
  const tip = await deps.workshop.fetchRef(ledgerRef(args.namespace), signal);
  if (tip === null) return null;
  const found: LedgerCommit[] = [];
  let foreign = 0;
  for (let at: Revision | undefined = tip; at !== undefined && found.length < args.most; ) {
    signal.throwIfAborted();
    const commit: LedgerCommit = await readCommit(deps, at);
    foreign = commit.signedBy === null ? foreign + 1 : 0;
    if (foreign > MOST_FOREIGN) break;
    found.push(commit);
    at = await previousOf(deps, commit, args.namespace);
  }
  return found;
}

/** Its parent of the same namespace; of a commit that is not ours, the first. */
async function previousOf(
  deps: ReadLedgerDeps,
  commit: LedgerCommit,
  namespace: NamespaceName,
): Promise<Revision | undefined> {
  const [first] = commit.parents;
  if (first === undefined || commit.signedBy === null) return first;
  const parent = await readCommit(deps, first);
  const ours = parent.signedBy === null || parent.says?.entry.namespace === namespace;
  return ours ? first : undefined;
}

/** Every signed commit that any of the refs leads to, and the refs that do not lead to one. @throws SOURCE_UNAVAILABLE */
export async function readAllCommits(
  deps: ReadLedgerDeps,
  signal: AbortSignal,
): Promise<{ readonly commits: readonly LedgerCommit[]; readonly foreign: readonly ForeignRef[] }> {
  const foreign: ForeignRef[] = [];
  const seen = new Map<Revision, LedgerCommit>();
  for (const namespace of (await ledgerNamespaces(deps.workshop, signal)).keys()) {
    const ref = ledgerRef(namespace);
    const tip = await deps.workshop.fetchRef(ref, signal);
    if (tip === null) continue;
    const head = await readCommit(deps, tip);
    if (head.signedBy === null) foreign.push({ ref, revision: tip, why: head.why ?? '' });
    else if (head.says?.entry.namespace !== namespace)
      foreign.push({ ref, revision: tip, why: belongsElsewhere(head) });
    await walk(tip);
  }

  async function walk(from: Revision): Promise<void> {
    const queue: { revision: Revision; foreign: number }[] = [{ revision: from, foreign: 0 }];
    for (let it = queue.pop(); it !== undefined; it = queue.pop()) {
      signal.throwIfAborted();
      if (seen.has(it.revision) || it.foreign > MOST_FOREIGN) continue;
      const commit = await readCommit(deps, it.revision);
      seen.set(it.revision, commit);
      const ours = commit.signedBy !== null;
      const count = ours ? 0 : it.foreign + 1;
      const parents = ours ? commit.parents : commit.parents.slice(0, 1);
      for (const revision of parents) queue.push({ revision, foreign: count });
    }
  }

  return { commits: [...seen.values()].filter((it) => it.signedBy !== null), foreign };
}

function belongsElsewhere({ says }: LedgerCommit): string {
  return `it points to the history of ${says?.entry.namespace ?? 'nothing'}`;
}

const MOST_FILES = 20_000;
const MOST_FILE_BYTES = 16 * 2 ** 20;

/** What the tree of a signed commit holds. @throws SOURCE_UNAVAILABLE */
export async function contentsOf(
  repository: Pick<Repository, 'list' | 'readBlob'>,
  commit: LedgerCommit,
  signal: AbortSignal,
): Promise<TreeContents> {
  const { entries } = await repository.list(commit.tree, MOST_FILES, signal);
  const files = new Map<string, Uint8Array>();
  for (const { path, kind, oid } of entries) {
    const bytes = kind === 'file' ? await repository.readBlob(oid, MOST_FILE_BYTES) : null;
    if (bytes !== null) files.set(path, bytes);
  }
  return readTree(commit.says?.entry.namespace ?? '', files);
}
