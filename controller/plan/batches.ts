/**
 * Batches: in which portions a service is exchanged.
 *
 * One batch unless the strategy allows less surge than there are slots to replace, or old ones have to stop first:
 * then each portion but the last is followed by a checkpoint release, which lets the old instances of it go.
 */
import type { Amount, ServiceSpec, Strategy } from '../../schemas/service.ts';
import type { Transition } from './transitions.ts';
import type { Unit } from './units.ts';

/** `bounded`: the next batch of the service may begin only after a checkpoint. */
export interface Batch {
  readonly units: readonly Unit[];
  readonly bounded: boolean;
}

/** How many instances may exist beyond the count, and how many of the count may be missing. At least one is not 0. */
export function limitsOf(strategy: Strategy, count: number): { readonly surge: number; readonly unavailable: number } {
  if (strategy.kind !== 'rolling') return { surge: count, unavailable: 0 };
  const surge = resolve(strategy.maxSurge, count, Math.ceil);
  // Rounded down, or a quarter of one replica would be the replica.
  const unavailable = resolve(strategy.maxUnavailable, count, Math.floor);
  return { surge: surge === 0 && unavailable === 0 ? 1 : surge, unavailable };
}

/**
 * The batches of a service that is exchanged, in order; empty when it has nothing to start.
 *
 * @param slots its transitions
 * @param units the stop-first units that it leads
 * @param count slots of the target
 */
export function batchesOf(args: {
  readonly spec: ServiceSpec;
  readonly slots: readonly Transition[];
  readonly units: readonly Unit[];
  readonly inUnits: ReadonlySet<string>;
  readonly count: number;
}): Batch[] {
  const { surge, unavailable } = limitsOf(args.spec.strategy, args.count);
  const free = args.slots.filter((it) => it.after !== null && !args.inUnits.has(it.slot));
  const adds = free.flatMap((it) => (it.kind === 'add' ? [startOf(it)] : []));
  const replaced = free.flatMap((it) => (it.kind === 'replace' ? [it] : []));

  const beside = surge > 0 ? chunks(replaced.map(startOf), surge) : [];
  const instead = surge > 0 ? [] : chunks(replaced.map(swapOf), unavailable);
  const recreate = args.spec.strategy.kind === 'recreate';
  const exchanged = chunks([...args.units], recreate ? Math.max(1, args.units.length) : Math.max(1, unavailable));

  const [first = [], ...rest] = [...beside, ...instead, ...exchanged];
  const portions = [[...adds, ...first], ...rest].filter((it) => it.length > 0);
  return portions.map((units, index) => ({ units, bounded: index < portions.length - 1 }));
}

function startOf({ after }: Transition): Unit {
  return { stops: [], starts: after === null ? [] : [after] };
}

/** Without surge the old instance makes room first. One that moves leaves its machine by itself, at the release. */
function swapOf({ before, after }: Transition): Unit {
  const starts = after === null ? [] : [after];
  return { stops: before === null || before.machine !== after?.machine ? [] : [before], starts };
}

function resolve(amount: Amount, count: number, round: (value: number) => number): number {
  return Math.min(count, 'percent' in amount ? round((amount.percent * count) / 100) : amount.count);
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}
