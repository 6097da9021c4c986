/** The ledger: what of the log is git history, below `refs/slipway/namespaces/`, and how far that has come. */
import { z } from 'zod';
import { type NamespaceName, Revision } from './names.ts';
import type { LogEntry } from './release.ts';

/** Refs of the ledger begin with this; the rest is the namespace. */
export const LEDGER_PREFIX = 'refs/slipway/namespaces/';

/** Where the history of a namespace lies in the fleet repository. A namespace's name is safe in a ref. */
export function ledgerRef(namespace: NamespaceName): string {
  return `${LEDGER_PREFIX}${namespace}`;
}

/** Kind of entry → whether it is a commit of its own; others travel in the next one. */
const HAS_COMMIT = {
  release: true,
  removed: true,
  // Else a migration that ran in a deploy that failed would run again after the log was lost.
  job: true,
  void: false,
} as const satisfies Record<LogEntry['kind'], boolean>;

/** Whether the entry is a commit of its own. */
export function hasCommit({ kind }: Pick<LogEntry, 'kind'>): boolean {
  return HAS_COMMIT[kind];
}

/** How far the ledger of a namespace has come; a projection of its ref. */
export const LedgerHead = z.strictObject({
  n: z.int().min(1),
  revision: Revision,
});
export type LedgerHead = z.infer<typeof LedgerHead>;
