/**
 * One namespace's history in git: what its ref lacks of the log is made into commits and pushed, in order, by
 * compare-and-set. A ref that somebody else moved is left as it is.
 */
import { SlipwayError } from '../../schemas/errors.ts';
import { hasCommit, type LedgerHead, ledgerRef } from '../../schemas/ledger.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { LogEntry, ReleaseRef } from '../../schemas/release.ts';
import type { Log, Specs } from '../../store/port.ts';
import type { KeyPair } from '../../trust/keys.ts';
import { sshSign } from '../../trust/ssh-signature.ts';
import type { Repository } from '../git/repository.ts';
import type { Workshop } from '../git/workshop.ts';
import { type LedgerEntry, messageOf, personOf, refText } from './describe-entry.ts';
import { GIT_PURPOSE, type LedgerCommit } from './ledger-commit.ts';
import { type ReadLedgerDeps, readCommit } from './read-ledger.ts';
import { specsNamedBy, treeOf } from './tree.ts';

export interface ChainDeps extends ReadLedgerDeps {
  readonly log: Pick<Log, 'tip' | 'entries' | 'read'>;
  readonly specs: Pick<Specs, 'get'>;
  readonly workshop: Pick<Workshop, 'fetchRef' | 'listRefs' | 'rawCommit' | 'writeTree' | 'writeCommit' | 'push'>;
  readonly repository: Pick<Repository, 'tip' | 'contains'>;
  readonly installation: string;
  readonly signer: KeyPair;
}

/** How far a ref is; n 0: there is none yet. */
interface Position {
  readonly n: number;
  readonly revision: Revision | null;
}

/** The ref is not what this installation wrote there. It is left as it is until somebody puts it right. */
export class ForeignLedger extends Error {
  override readonly name = 'ForeignLedger';
  readonly namespace: NamespaceName;
  readonly revision: Revision;

  constructor(namespace: NamespaceName, revision: Revision, why: string) {
    super(`${ledgerRef(namespace)} is not what Slipway wrote there: ${why} (${revision.slice(0, 10)})`);
    this.namespace = namespace;
    this.revision = revision;
  }
}

/** Commits of one push: an installation that begins its ledger has a long history to bring. */
const COMMITS_A_PUSH = 25;

export interface Chain {
  /** Every entry of the log is in git. @throws ForeignLedger, SOURCE_UNAVAILABLE, STATE_UNAVAILABLE */
  bringUp(namespace: NamespaceName, signal: AbortSignal): Promise<Position>;
  /** What the ref was found to be is looked up again. */
  forget(namespace: NamespaceName): void;
}

/** @param onPushed called after each push */
export function createChain(
  deps: ChainDeps,
  onPushed: (namespace: NamespaceName, head: LedgerHead) => Promise<void>,
): Chain {
  const { log, workshop } = deps;
  const known = new Map<NamespaceName, Position>();

  async function position(namespace: NamespaceName, signal: AbortSignal): Promise<Position> {
    const at = known.get(namespace) ?? (await positionOfRef(deps, namespace, signal));
    known.set(namespace, at);
    return at;
  }

  async function bringUp(
    namespace: NamespaceName,
    signal: AbortSignal,
    above: readonly NamespaceName[] = [],
    upTo = Number.POSITIVE_INFINITY,
  ): Promise<Position> {
    let at = await position(namespace, signal);
    let movedBefore = false;
    for (;;) {
      const entries = await log.entries(namespace, { from: at.n + 1, to: upTo });
      const batch = untilNextOrigin(batchesOf(entries).slice(0, COMMITS_A_PUSH));
      if (batch.length === 0) return at;
      const next = await write(batch, at, signal, [...above, namespace]);
      const pushed = await workshop.push(
        { ref: ledgerRef(namespace), expected: at.revision, revision: next.revision },
        signal,
      );
      known.delete(namespace);
      if (pushed === 'moved') {
        if (movedBefore) throw new SlipwayError('STATE_CONFLICT', `${ledgerRef(namespace)} moves all the time`);
        movedBefore = true;
        // Perhaps another controller of ours was first: then the ref holds the log, as far as it goes.
        at = await position(namespace, signal);
        continue;
      }
      known.set(namespace, next);
      await onPushed(namespace, next);
      at = next;
    }
  }

  async function write(
    batch: readonly Batch[],
    from: Position,
    signal: AbortSignal,
    above: readonly NamespaceName[],
  ): Promise<LedgerHead> {
    const tip = batch.some(({ entry }) => sourceOf(entry) !== null) ? await deps.repository.tip(signal) : null;
    let { revision } = from;
    for (const { entry, between } of batch) {
      const digests = specsNamedBy(entry);
      const values = await Promise.all(digests.map((it) => deps.specs.get(it)));
      const specs = new Map(digests.map((it, i) => [it, values[i]]));
      const origins = await originsOf(entry, above, signal);
      const source = sourceOf(entry);
      const inBranch = source !== null && tip !== null && (await deps.repository.contains(source, tip, signal));
      const parents = [revision, ...origins, inBranch ? source : null].filter((it) => it !== null);
      const { publicKey, privateKey } = deps.signer;
      revision = await workshop.writeCommit({
        tree: await workshop.writeTree(null, treeOf({ entry, between, specs })),
        parents: [...new Set(parents)],
        message: messageOf(entry),
        person: personOf(entry, deps.installation),
        sign: (payload) => sshSign(payload, { purpose: GIT_PURPOSE, publicKey, privateKey }),
      });
    }
    const last = batch.at(-1);
    if (last === undefined || revision === null) throw new Error('nothing was to be written');
    return { n: last.entry.n, revision };
  }

  /** Commits of the releases that it was forked or promoted from, the first time that it says so. */
  async function originsOf(
    entry: LedgerEntry,
    above: readonly NamespaceName[],
    signal: AbortSignal,
  ): Promise<Revision[]> {
    if (entry.kind !== 'release') return [];
    const { previous, forkedFrom, promotedFrom } = entry.lineage;
    const before = previous === null ? null : await log.read(entry.namespace, previous);
    const lineage = before?.kind === 'release' ? before.lineage : null;
    const fresh = [
      sameRef(forkedFrom, lineage?.forkedFrom) ? undefined : forkedFrom,
      sameRef(promotedFrom, lineage?.promotedFrom) ? undefined : promotedFrom,
    ];
    const found: Revision[] = [];
    for (const it of fresh) {
      const revision = it === undefined ? null : await commitOf(it, above, signal);
      if (revision !== null) found.push(revision);
    }
    return found;
  }

  /** null: its namespace has another history in git, or none; the trailer still names it. */
  async function commitOf(
    { namespace, n }: ReleaseRef,
    above: readonly NamespaceName[],
    signal: AbortSignal,
  ): Promise<Revision | null> {
    try {
      // No further than to that release: what came later may itself come from whoever asks.
      const { revision } = above.includes(namespace)
        ? await position(namespace, signal)
        : await bringUp(namespace, signal, above, n);
      return await commitWith(deps, { namespace, n }, revision);
    } catch (error) {
      if (error instanceof ForeignLedger) return null;
      throw error;
    }
  }

  return {
    bringUp: (namespace, signal) => bringUp(namespace, signal),
    forget: (namespace) => void known.delete(namespace),
  };
}

interface Batch {
  readonly entry: LedgerEntry;
  readonly between: readonly LogEntry[];
}

/** Entries with a commit of their own, each with those before it that have none. Pure. */
export function batchesOf(entries: readonly LogEntry[]): Batch[] {
  const batches: Batch[] = [];
  let between: LogEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'void' || !hasCommit(entry)) {
      between.push(entry);
      continue;
    }
    batches.push({ entry, between });
    between = [];
  }
  return batches;
}

/**
 * The first commits, up to one that comes from another namespace: that one may itself come from what is pushed here
 * before it (a promotion of a fork). Pure.
 */
function untilNextOrigin(batches: readonly Batch[]): readonly Batch[] {
  let before: ReleaseRef | undefined;
  const end = batches.findIndex(({ entry }, i) => {
    if (entry.kind !== 'release') return false;
    const { forkedFrom, promotedFrom } = entry.lineage;
    const comes = promotedFrom !== undefined || (forkedFrom !== undefined && !sameRef(forkedFrom, before));
    before = forkedFrom;
    return comes && i > 0;
  });
  return end === -1 ? batches : batches.slice(0, end);
}

/** A revision that the tracked branch may contain; what is merged for a preview lies nowhere but here. */
function sourceOf(entry: LedgerEntry): Revision | null {
  return entry.kind === 'release' && entry.managedBy === 'git' ? entry.source.revision : null;
}

function sameRef(a: ReleaseRef | undefined, b: ReleaseRef | undefined): boolean {
  return a !== undefined && b !== undefined && refText(a) === refText(b);
}

/** What the ref holds, when it is the log's. @throws ForeignLedger */
async function positionOfRef(deps: ChainDeps, namespace: NamespaceName, signal: AbortSignal): Promise<Position> {
  const revision = await deps.workshop.fetchRef(ledgerRef(namespace), signal);
  if (revision === null) return { n: 0, revision };
  const commit = await readCommit(deps, revision);
  const why = await whyForeign(deps, namespace, commit);
  if (why !== null) throw new ForeignLedger(namespace, revision, why);
  return { n: commit.says?.entry.n ?? 0, revision };
}

async function whyForeign(
  { log }: Pick<ChainDeps, 'log'>,
  namespace: NamespaceName,
  { why, says }: LedgerCommit,
): Promise<string | null> {
  if (why !== null || says === null) return why ?? 'it holds no entry of the log';
  if (says.entry.namespace !== namespace) return `it holds the history of ${says.entry.namespace}`;
  const entry = says.entry.n > (await log.tip(namespace)) ? null : await log.read(namespace, says.entry.n);
  if (entry === null)
    return `it goes on to ${refText(says.entry)}, which the state does not know; was the state lost? (\`slipway store rebuild\`)`;
  return entry.kind === says.kind && entry.deploy === says.deploy
    ? null
    : `${refText(says.entry)} is another release there than in the state`;
}

/** The commit of an entry, below `from`; null: it is not there. */
async function commitWith(deps: ReadLedgerDeps, wanted: ReleaseRef, from: Revision | null): Promise<Revision | null> {
  for (let at = from; at !== null; ) {
    const { says, signedBy, parents } = await readCommit(deps, at);
    if (signedBy === null || says?.entry.namespace !== wanted.namespace || says.entry.n < wanted.n) return null;
    if (says.entry.n === wanted.n) return at;
    at = parents[0] ?? null;
  }
  return null;
}
