/**
 * What is made in a repository beside reading the tracked branch: other refs, merge results, objects and pushes. Objects
 * are written to the mirror (or to the folder's own database, where nothing refers to them until a push); refs move by
 * compare-and-set at the remote only.
 */
import type { Revision } from '../../schemas/names.ts';

export type MergeResult =
  /** The commit lies in the mirror only; the same inputs give the same one. */
  | { readonly kind: 'merged'; readonly revision: Revision }
  | { readonly kind: 'conflict'; readonly files: readonly string[] }
  /** Several merge bases, or none: said, never guessed. */
  | { readonly kind: 'unclear'; readonly why: string };

/** Author and committer of commits of ours. */
export interface CommitPerson {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

export interface Workshop {
  /**
   * Brings a ref (`refs/pull/7/head`) and its objects here; null: the remote has none of this name.
   *
   * @param expected what somebody who is trusted says that the ref is: when it is so, one fetch is all that is asked of
   * the remote, and nothing when the ref was brought here as that before
   * @throws SOURCE_UNAVAILABLE
   */
  fetchRef(ref: string, signal: AbortSignal, expected?: Revision): Promise<Revision | null>;
  /** Full names of the remote's refs that begin with `prefix` → object. @throws SOURCE_UNAVAILABLE */
  listRefs(prefix: string, signal: AbortSignal): Promise<ReadonlyMap<string, Revision>>;
  /** What merging `theirs` into `ours` gives; both are here already. Moves no ref. */
  merge(args: { readonly ours: Revision; readonly theirs: Revision }, signal: AbortSignal): Promise<MergeResult>;
  /** The tree of a revision (null: an empty one) with these files put in, or taken out (null). Gives the tree's oid. */
  writeTree(base: Revision | null, files: ReadonlyMap<string, Uint8Array | null>): Promise<string>;
  /** `sign`: given the commit's bytes without a signature, gives the armoured signature. */
  writeCommit(args: {
    readonly tree: string;
    readonly parents: readonly Revision[];
    readonly message: string;
    readonly person: CommitPerson;
    readonly sign?: (payload: Uint8Array) => Promise<string> | string;
  }): Promise<Revision>;
  /** The bytes of a commit as they are stored. */
  rawCommit(revision: Revision): Promise<Uint8Array>;
  /**
   * The remote's ref is `revision` (null: gone) if it was `expected` (null: not there) until now; `moved`: it was
   * something else, and stays so. Called again after a lost answer it finds the ref in place: `pushed`. The objects travel
   * along. @throws SOURCE_UNAVAILABLE with what the server said, when it declines
   */
  push(
    args: { readonly ref: string; readonly expected: Revision | null; readonly revision: Revision | null },
    signal: AbortSignal,
  ): Promise<'pushed' | 'moved'>;
}
