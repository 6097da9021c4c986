/**
 * Phases: prepare, then everything that starts by dependency level, then the final commit with the target table.
 *
 * Services with bounded batches (batches.ts), and what they wait for, come first; the others after them, so that those
 * go live together, at the end. The table of a commit is the released one with a new row for every slot that was
 * started in this or an earlier phase. So a slot has one row in every table, a started instance is named by every later
 * commit, and a stopped one by none: what a commit lets go of is never needed again. Rows that only change their spec,
 * and removals, are part of the final commit.
 */
import type { ServiceName, SlotName } from '../../schemas/names.ts';
import type { Phase, PlannedSlot, PlanStep } from '../../schemas/plan.ts';
import type { VolumeRow } from '../../schemas/release.ts';
import type { VolumeSpec } from '../../schemas/service.ts';
import { closureOf, levelsOf } from './levels.ts';
import type { Live } from './live.ts';
import { bySlot, groupBy } from './order.ts';
import type { Pinned } from './pin.ts';
import { jobStep, type PinnedOf, prepareSteps, unitSteps } from './steps.ts';
import { phaseTitle } from './titles.ts';
import type { Transition } from './transitions.ts';
import type { Work } from './works.ts';

interface PhaseArgs {
  readonly works: readonly Work[];
  readonly transitions: readonly Transition[];
  readonly live: Live;
  readonly pinned: ReadonlyMap<ServiceName, Pinned>;
  readonly newVolumes: readonly VolumeRow[];
  readonly volumes: readonly VolumeSpec[];
}

/** Steps that run side by side; `bounded`: a checkpoint has to follow. */
interface Round {
  readonly steps: readonly PlanStep[];
  readonly bounded: boolean;
}

/** The phases of a plan; the last one is the final commit and has no steps. */
export function phasesOf(args: PhaseArgs): Phase[] {
  const pinnedOf = lookup(args.pinned);
  const rounds = roundsOf(args.works, pinnedOf);
  const prepare = prepareSteps({ ...args, steps: rounds.flatMap((it) => it.steps), pinnedOf });
  const target = args.transitions.flatMap((it) => it.after ?? []).toSorted(bySlot);
  const names = new Set(target.map((it) => it.slot));

  const table = new Map<SlotName, PlannedSlot>(args.live.bySlot);
  const holds = createHolds(args.transitions, pinnedOf);
  const middle = rounds.map(({ steps, bounded }): Phase => {
    for (const step of steps) advance(table, step, names);
    holds.started(steps);
    const title = phaseTitle(steps);
    if (!bounded) return { title, steps: [...steps], commit: 'none', slots: [], holdMs: 0 };
    const slots = [...table.values()].toSorted(bySlot);
    return { title, steps: [...steps], commit: 'checkpoint', slots, holdMs: holds.committed() };
  });
  const final: Phase = { title: 'release', steps: [], commit: 'final', slots: target, holdMs: holds.committed() };
  const first: Phase = { title: 'prepare', steps: prepare, commit: 'none', slots: [], holdMs: 0 };
  return [...(prepare.length > 0 ? [first] : []), ...middle, final];
}

/** What runs in which order; every round is a phase. Numbers in step ids count rounds from 1. */
function roundsOf(works: readonly Work[], pinnedOf: PinnedOf): Round[] {
  const levels = levelsOf(works);
  const bounded = works.filter((it) => it.tracks.some((track) => track.some((batch) => batch.bounded)));
  const early = closureOf(
    bounded.map((it) => it.name),
    works,
  );
  const place = (it: Work) => `${early.has(it.name) ? 0 : 1} ${levels.get(it.name) ?? 0}`;
  const order = (key: string) => key.split(' ').reduce((sum, part) => sum * (works.length + 1) + Number(part), 0);
  const groups = [...groupBy(works, place)].toSorted(([a], [b]) => order(a) - order(b));
  const rounds: Round[] = [];
  for (const [, group] of groups) rounds.push(...levelRounds(group, rounds.length + 1, pinnedOf));
  return rounds;
}

/** The rounds of one level: the first batches of all its works side by side, then the second ones … */
function levelRounds(works: readonly Work[], first: number, pinnedOf: PinnedOf): Round[] {
  const rounds: { steps: PlanStep[]; bounded: boolean }[] = [];
  const at = (index: number) => {
    const round = rounds[index] ?? { steps: [], bounded: false };
    rounds[index] = round;
    return round;
  };
  for (const { job, tracks } of works) {
    if (job !== null) at(0).steps.push(jobStep(job, first, pinnedOf));
    for (const track of tracks) {
      for (const [index, batch] of track.entries()) {
        if (batch.bounded) at(index).bounded = true;
        const merged = { stops: batch.units.flatMap((it) => it.stops), starts: batch.units.flatMap((it) => it.starts) };
        const [now, later] = unitSteps(merged, first + index, pinnedOf);
        at(index).steps.push(...now);
        if (later.length > 0) at(index + 1).steps.push(...later);
      }
    }
  }
  return rounds;
}

/** The table after a step: new rows for what it starts; what it stops for good is named no more. */
function advance(table: Map<SlotName, PlannedSlot>, step: PlanStep, target: ReadonlySet<SlotName>): void {
  if (step.verb === 'start') table.set(step.slot.slot, step.slot);
  if (step.verb !== 'swap') return;
  for (const { slot } of step.stops) if (!target.has(slot)) table.delete(slot);
  for (const it of step.starts) table.set(it.slot, it);
}

/** How long the old instances of blue-green services stay after the commit that replaces them. */
function createHolds(transitions: readonly Transition[], pinnedOf: PinnedOf) {
  const replaced = new Set(transitions.flatMap((it) => (it.kind === 'replace' ? [it.slot] : [])));
  let holdMs = 0;
  return {
    started(steps: readonly PlanStep[]): void {
      for (const step of steps) {
        if (step.verb !== 'start' || !replaced.has(step.slot.slot)) continue;
        const { strategy } = pinnedOf(step.slot.service).spec;
        if (strategy.kind === 'blue-green') holdMs = Math.max(holdMs, strategy.holdMs);
      }
    },
    committed(): number {
      const held = holdMs;
      holdMs = 0;
      return held;
    },
  };
}

function lookup(pinned: ReadonlyMap<ServiceName, Pinned>): PinnedOf {
  return (service) => {
    const found = pinned.get(service);
    if (found === undefined) throw new Error(`the plan starts ${service}, which is not desired`);
    return found;
  };
}
