/** What the agent's journal holds of a namespace. Plain JSON in the agent's own files; changes are pure functions. */
import type { Release, SlotRow } from '../schemas/release.ts';
import { compareFences, type Evidence, type Fence } from '../schemas/step.ts';

/** Closed deploys that are remembered; a late step of an older one fails at its fence. */
const MAX_CLOSED = 200;

/** A deploy that has begun on this machine and has not been closed: its candidates are left alone. */
interface OpenDeploy {
  readonly openedAt: string;
  readonly candidates: readonly SlotRow[];
  /** The log entry that ended it. What is left of it may go once that entry counts as read, not before. */
  readonly endedBy?: number;
}

/**
 * A swap under way. `open`: stops go down, starts come up. `done`: the starts serve until a release names them.
 * `undoing`: back to the stops. `undone`: the stops run again, and why.
 */
export interface Swap {
  readonly deploy: string;
  readonly id: string;
  readonly state: 'open' | 'done' | 'undoing' | 'undone';
  readonly stops: readonly SlotRow[];
  readonly starts: readonly SlotRow[];
  /** Epoch milliseconds. */
  readonly deadlineAt: number;
  readonly failure: { readonly code: string; readonly message: string; readonly evidence: readonly Evidence[] } | null;
}

/** Small and written often. */
export interface Operations {
  readonly fence: Fence | null;
  readonly open: Readonly<Record<string, OpenDeploy>>;
  /** Deploy ids, oldest first. */
  readonly closed: readonly string[];
  readonly swaps: readonly Swap[];
}

/** What the log said last. `tip`: highest entry read. `live` null: nothing was released, or it was removed. */
export interface LastKnown {
  readonly tip: number;
  readonly live: Release | null;
}

export interface NamespaceView extends Operations, LastKnown {
  readonly namespace: string;
}

export const NO_OPERATIONS: Operations = { fence: null, open: {}, closed: [], swaps: [] };
export const NOTHING_KNOWN: LastKnown = { tip: 0, live: null };

/** The fence is at least this one; the same object when it was. */
export function withFence(ops: Operations, fence: Fence): Operations {
  return ops.fence !== null && compareFences(ops.fence, fence) >= 0 ? ops : { ...ops, fence };
}

/** The deploy is open and holds these candidates; the same object when it did. */
export function withCandidates(ops: Operations, deploy: string, rows: readonly SlotRow[], at: string): Operations {
  const held = ops.open[deploy];
  const more = rows.filter((row) => !held?.candidates.some((it) => sameInstance(it, row)));
  if (held !== undefined && more.length === 0) return ops;
  const opened = { ...held, openedAt: held?.openedAt ?? at, candidates: [...(held?.candidates ?? []), ...more] };
  return { ...ops, open: { ...ops.open, [deploy]: opened } };
}

/** The swap's record is this one. */
export function withSwap(ops: Operations, swap: Swap): Operations {
  return { ...ops, swaps: [...ops.swaps.filter((it) => !sameSwap(it, swap)), swap] };
}

/** There is no record of the swap. */
export function withoutSwap(ops: Operations, swap: Pick<Swap, 'deploy' | 'id'>): Operations {
  return { ...ops, swaps: ops.swaps.filter((it) => !sameSwap(it, swap)) };
}

/** Entry `n` of the log ended the deploy: its late steps are refused from now on. */
export function withClosed(ops: Operations, deploy: string, n: number): Operations {
  const held = ops.open[deploy];
  if (ops.closed.includes(deploy) && (held === undefined || held.endedBy === n)) return ops;
  const closed = [...ops.closed.filter((it) => it !== deploy), deploy].slice(-MAX_CLOSED);
  return { ...ops, closed, open: held === undefined ? ops.open : { ...ops.open, [deploy]: { ...held, endedBy: n } } };
}

/** Open deploys that can be closed: the entry that ended each counts as read, so `live` says what stays of them. */
export function endedDeploys({ open, tip }: Pick<NamespaceView, 'open' | 'tip'>): string[] {
  return Object.keys(open).filter((it) => (open[it]?.endedBy ?? Infinity) <= tip);
}

/** The deploy holds nothing any more. */
export function withoutOpen(ops: Operations, deploy: string): Operations {
  if (ops.open[deploy] === undefined) return ops;
  return { ...ops, open: Object.fromEntries(Object.entries(ops.open).filter(([id]) => id !== deploy)) };
}

/** Whether two rows mean the same instance of a namespace. */
export function sameInstance(a: SlotRow, b: SlotRow): boolean {
  return a.slot === b.slot && a.template === b.template && a.deploy === b.deploy;
}

function sameSwap(a: Pick<Swap, 'deploy' | 'id'>, b: Pick<Swap, 'deploy' | 'id'>): boolean {
  return a.deploy === b.deploy && a.id === b.id;
}
