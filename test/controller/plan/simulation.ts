/** A fleet in memory that carries plans out, and objects to what must never happen. */
import { limitsOf } from '../../../controller/plan/batches.ts';
import { claimsOf } from '../../../controller/plan/claims.ts';
import type { PlanInput } from '../../../controller/plan/input.ts';
import type { Phase, Plan, PlannedSlot } from '../../../schemas/plan.ts';
import type { SlotRow } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';

type Row = SlotRow | PlannedSlot;

interface Fleet {
  readonly input: PlanInput;
  readonly plan: Plan;
  readonly specOf: (row: Row) => ServiceSpec;
  /** What the last commit names. */
  table: readonly Row[];
  readonly running: Map<string, Row>;
  /** What a swap put in an old one's place; it serves before it is committed. */
  readonly viaSwap: Set<string>;
  readonly found: string[];
}

/** Carries the plan out on what its input says is live, and gives every objection. */
export function objections(input: PlanInput, plan: Plan): string[] {
  const specs = new Map<string, ServiceSpec>([
    ...(input.released?.specs ?? []),
    ...plan.services.map((it) => [specDigest(it), it] as const),
  ]);
  const specOf = (row: Row) => {
    const spec = specs.get(row.spec);
    if (spec === undefined) throw new Error(`${row.slot} runs a spec that nobody has`);
    return spec;
  };
  const table = input.released?.release.slots ?? [];
  const running = new Map<string, Row>(table.map((row) => [keyOf(row), row]));
  const fleet: Fleet = { input, plan, specOf, table, running, viaSwap: new Set(), found: [] };
  for (const [index, phase] of plan.phases.entries()) {
    carryOut(fleet, phase, `phase ${index}`);
    if (phase.commit !== 'none') commit(fleet, phase, `commit ${index}`);
  }
  const target = targetRows(plan).map(keyOf).toSorted().join();
  if ([...running.keys()].toSorted().join() !== target) fleet.found.push('what runs in the end is not the target');
  return fleet.found;
}

/** All steps side by side, at their worst: everything stops before anything starts. */
function carryOut(fleet: Fleet, { steps }: Phase, when: string): void {
  const { running, found, viaSwap } = fleet;
  for (const step of steps) {
    if (step.verb !== 'swap') continue;
    for (const row of step.stops)
      if (!running.delete(keyOf(row))) found.push(`${when} stops ${row.slot}, which does not run`);
  }
  checkServing(fleet, when);
  for (const step of steps) {
    const rows = step.verb === 'swap' ? step.starts : step.verb === 'start' ? [step.slot] : [];
    for (const row of rows) running.set(keyOf(row), row);
    if (step.verb === 'swap') for (const row of rows) viaSwap.add(keyOf(row));
  }
  checkClaims(fleet, when);
  checkCounts(fleet, when);
}

/** The release takes over: what it does not name is retired. */
function commit(fleet: Fleet, { slots }: Phase, when: string): void {
  const { running, found } = fleet;
  const names = new Set(slots.map((it) => it.slot));
  if (names.size !== slots.length) found.push(`${when} names a slot twice`);
  const wanted = new Set(targetRows(fleet.plan).map((it) => it.slot));
  for (const { slot } of fleet.table)
    if (wanted.has(slot) && !names.has(slot)) found.push(`${when} has no row for ${slot}`);
  for (const row of slots)
    if (!running.has(keyOf(row)) && !recreated(fleet, row)) found.push(`${when} names ${row.slot}, which does not run`);
  fleet.table = slots;
  const named = new Set(slots.map(keyOf));
  for (const key of running.keys()) if (!named.has(key)) running.delete(key);
  checkServing(fleet, when);
}

/** Nobody holds what another holds; an old and a new instance of one slot share nothing exclusive. */
function checkClaims({ running, specOf, found }: Fleet, when: string): void {
  const holders = new Map<string, Row>();
  for (const row of running.values()) {
    for (const claim of claimsOf(specOf(row)).filter((it) => it.holder === 'own')) {
      const at = `${row.machine} ${claim.key}`;
      const other = holders.get(at);
      holders.set(at, row);
      if (other === undefined || (claim.kind !== 'port' && other.slot !== row.slot)) continue;
      found.push(`${when}: ${other.slot} and ${row.slot} both have ${at}`);
    }
  }
}

/** Surge stays in its bounds; a slot that moves to another machine may be beside its old one. */
function checkCounts(fleet: Fleet, when: string): void {
  const before = tally(fleet.input.released?.release.slots ?? []);
  const after = tally(targetRows(fleet.plan));
  const running = tally(fleet.running.values());
  const shared = sharing(fleet.plan);
  for (const { name, strategy } of fleet.plan.services.filter((it) => !shared.has(it.name))) {
    const { surge, unavailable } = limitsOf(strategy, after.get(name) ?? 0);
    const most = Math.max(before.get(name) ?? 0, after.get(name) ?? 0) + Math.max(surge, unavailable, 1);
    if ((running.get(name) ?? 0) > most) found(fleet, `${when}: more than ${most} instances of ${name}`);
  }
}

/** Start-first services never serve with fewer than they had (or will have), others with as many fewer as they allow. */
function checkServing(fleet: Fleet, when: string): void {
  const before = tally(fleet.input.released?.release.slots ?? []);
  const after = tally(targetRows(fleet.plan));
  const named = new Set(fleet.table.map(keyOf));
  const serving = tally(
    [...fleet.running].filter(([key]) => named.has(key) || fleet.viaSwap.has(key)).map(([, it]) => it),
  );
  const swaps = fleet.plan.phases.flatMap((it) => it.steps).filter((it) => it.verb === 'swap');
  const swapped = new Set(swaps.flatMap((it) => it.stops).map((it) => it.service));
  const shared = sharing(fleet.plan);
  for (const { name, strategy, job } of fleet.plan.services) {
    const { unavailable } = limitsOf(strategy, after.get(name) ?? 0);
    if (job || (swapped.has(name) && (strategy.kind === 'recreate' || shared.has(name)))) continue;
    const missing = swapped.has(name) ? Math.max(1, unavailable) : 0;
    const needed = Math.min(before.get(name) ?? 0, after.get(name) ?? 0) - missing;
    if ((serving.get(name) ?? 0) < needed) found(fleet, `${when}: fewer than ${needed} of ${name} serve`);
  }
}

/** Services that change places with another one in a swap: all of them at once, whatever their strategy allows. */
function sharing(plan: Plan): Set<string> {
  const swaps = plan.phases.flatMap((it) => it.steps).filter((it) => it.verb === 'swap');
  const members = swaps.map((it) => new Set([...it.stops, ...it.starts].map((row) => row.service)));
  return new Set(members.filter((it) => it.size > 1).flatMap((it) => [...it]));
}

function recreated({ plan }: Fleet, row: Row): boolean {
  return plan.services.some((it) => it.name === row.service && it.strategy.kind === 'recreate');
}

function targetRows(plan: Plan): readonly PlannedSlot[] {
  return plan.phases.at(-1)?.slots ?? [];
}

function found(fleet: Fleet, objection: string): void {
  fleet.found.push(objection);
}

function keyOf(row: Row): string {
  return `${row.machine} ${row.slot} ${row.template} ${row.deploy ?? 'this'}`;
}

function tally(rows: Iterable<Row>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const it of rows) counts.set(it.service, (counts.get(it.service) ?? 0) + 1);
  return counts;
}
