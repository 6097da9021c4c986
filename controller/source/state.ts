/** What the source knows of the tracked branch, and when two such states are the same. Pure. */
import type { ErrorCode } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';

/** A file below the manifests folder. `path` is from the root of the repository. */
export interface SourceFile {
  readonly path: string;
  /** Object id: equal ids are equal bytes. */
  readonly oid: string;
  readonly bytes: Uint8Array;
}

/** Of the commit; one line each, without control characters, still to be escaped for where it is shown. */
interface CommitInfo {
  readonly author: string;
  readonly authorEmail: string;
  readonly subject: string;
}

/**
 * `ok`: the files of the revision, at least one. A file in `problems` is there but refused: it is **not deleted**, and
 * the namespace it belongs to is invalid, not removed.
 * `invalid`: nothing can be said about any namespace of this revision until another commit.
 * `unavailable`: nothing is known. Nothing is removed for it.
 * `rewound`: the branch no longer contains what was last seen, and settings do not allow that.
 */
export type SourceState =
  | {
      readonly kind: 'ok';
      readonly revision: Revision;
      readonly commit: CommitInfo;
      readonly manifestsFolder: string;
      /** slipway.toml; null: the repository has none. */
      readonly settingsFile: Uint8Array | null;
      readonly files: readonly SourceFile[];
      readonly problems: readonly Problem[];
    }
  | {
      readonly kind: 'invalid';
      readonly revision: Revision;
      readonly commit: CommitInfo;
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'unavailable'; readonly code: ErrorCode; readonly why: string; readonly since: string }
  | { readonly kind: 'rewound'; readonly revision: Revision; readonly lastSeen: Revision; readonly why: string };

/** Equal texts mean that nobody needs to be told again. */
export function identityOf(state: SourceState): string {
  switch (state.kind) {
    case 'ok':
    case 'invalid':
      return `${state.kind} ${state.revision}`;
    case 'rewound':
      return `${state.kind} ${state.revision} ${state.lastSeen}`;
    case 'unavailable':
      return `${state.kind} ${state.code} ${state.why}`;
  }
}
