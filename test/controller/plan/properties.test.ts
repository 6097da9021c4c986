import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../../controller/plan/build.ts';
import type { PlanInput } from '../../../controller/plan/input.ts';
import { releaseFrom } from '../../../controller/plan/target.ts';
import { hasChanges, Plan } from '../../../schemas/plan.ts';
import { Release } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';
import { appliedTo } from '../../builders/plan.ts';
import { deployId } from '../../builders/release.ts';
import { fleet, inputFor } from './arbitrary.ts';
import { objections } from './simulation.ts';

function planned(input: PlanInput): Plan {
  const result = buildPlan(input);
  fc.pre(result.ok);
  if (!result.ok) throw new Error('unreachable');
  return result.plan;
}

/** The input for `next` after `first` was deployed. */
function following(first: readonly ServiceSpec[], next: readonly ServiceSpec[]): PlanInput {
  const input = inputFor(first);
  return inputFor(next, appliedTo(input, planned(input)));
}

/** The inputs for `again` after the deploy of `input` failed right after one of its checkpoints. */
function afterCheckpoints(input: PlanInput, again: readonly ServiceSpec[]): PlanInput[] {
  const plan = planned(input);
  const specs = new Map([
    ...(input.released?.specs ?? []),
    ...plan.services.map((it) => [specDigest(it), it] as const),
  ]);
  const checkpoints = plan.phases.filter((it) => it.commit === 'checkpoint');
  return checkpoints.map((phase, index) => {
    const release = releaseFrom({
      plan,
      phase,
      deploy: deployId(2),
      n: plan.basis.tip + 1 + index,
      at: '2026-01-03T00:00:00.000Z',
      actor: 'loop',
      released: input.released?.release ?? null,
    });
    expect(() => Release.parse(release)).not.toThrow();
    for (const it of [...Object.values(release.services), ...release.slots.map((row) => row.spec)])
      expect(specs.has(it)).toBe(true);
    for (const it of release.slots) expect(Object.keys(release.services)).toContain(it.service);
    return inputFor(again, { released: { release, specs }, tip: release.n, volumeRows: plan.volumeRows });
  });
}

describe('every plan', () => {
  it('is the same bytes whatever order its inputs come in', () => {
    fc.assert(
      fc.property(fleet, fleet, fc.infiniteStream(fc.nat()), (first, next, random) => {
        const input = following(first, next);
        const shuffled = <T>(values: readonly T[]): T[] =>
          values
            .map((value) => ({ value, at: random.next().value }))
            .toSorted((a, b) => a.at - b.at)
            .map((it) => it.value);
        const { released } = input;
        const other: PlanInput = {
          ...input,
          desired: {
            ...input.desired,
            services: shuffled(input.desired.services),
            volumes: shuffled(input.desired.volumes),
          },
          machines: shuffled(input.machines),
          volumeRows: shuffled(input.volumeRows),
          finishedJobs: shuffled(input.finishedJobs),
          images: Object.fromEntries(shuffled(Object.entries(input.images))),
          released: released && {
            release: {
              ...released.release,
              slots: shuffled(released.release.slots),
              services: Object.fromEntries(shuffled(Object.entries(released.release.services))),
            },
            specs: new Map(shuffled([...released.specs])),
          },
        };

        expect(JSON.stringify(buildPlan(other))).toBe(JSON.stringify(buildPlan(input)));
      }),
    );
  });

  it('has nothing to do once it was carried out', () => {
    fc.assert(
      fc.property(fleet, fleet, (first, next) => {
        const input = following(first, next);
        const again = planned(inputFor(next, appliedTo(input, planned(input), 2)));

        expect(again.changes.filter((it) => it.kind !== 'unchanged')).toEqual([]);
        expect(again.phases).toMatchObject([{ commit: 'final', steps: [] }]);
        expect(hasChanges(again)).toBe(false);
      }),
    );
  });

  it('is a valid record that ends with one final commit, with step ids of their own', () => {
    fc.assert(
      fc.property(fleet, fleet, (first, next) => {
        const plan = planned(following(first, next));
        const ids = plan.phases.flatMap((it) => it.steps).map((it) => it.id);

        expect(Plan.parse(plan)).toEqual(plan);
        expect(new Set(ids).size).toBe(ids.length);
        expect(plan.phases.map((it) => it.commit).lastIndexOf('final')).toBe(plan.phases.length - 1);
        expect(plan.phases.filter((it) => it.commit === 'final')).toHaveLength(1);
        expect(plan.phases.every((it) => it.commit !== 'none' || it.slots.length === 0)).toBe(true);
      }),
    );
  });

  it('carried out, gives the target and on the way breaks no promise', () => {
    fc.assert(
      fc.property(fleet, fleet, (first, next) => {
        const input = following(first, next);

        expect(objections(input, planned(input))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('goes on from any checkpoint of a failed deploy, forward and back', () => {
    fc.assert(
      fc.property(fleet, fleet, fc.boolean(), (first, next, back) => {
        for (const input of afterCheckpoints(following(first, next), back ? first : next)) {
          const plan = planned(input);
          expect(objections(input, plan)).toEqual([]);
          const again = planned(inputFor(back ? first : next, appliedTo(input, plan, 3)));
          expect(hasChanges(again)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('starts nothing before what it depends on was started', () => {
    fc.assert(
      fc.property(fleet, fleet, (first, next) => {
        const plan = planned(following(first, next));
        const at = new Map<string, number[]>();
        const swaps = plan.phases.flatMap((it) => it.steps).filter((it) => it.verb === 'swap');
        // Services that are exchanged together wait together; levels.test.ts has those.
        fc.pre(swaps.every((it) => new Set([...it.stops, ...it.starts].map((row) => row.service)).size === 1));
        for (const [index, phase] of plan.phases.entries()) {
          for (const step of phase.steps) {
            const rows =
              step.verb === 'start'
                ? [step.slot]
                : step.verb === 'swap'
                  ? step.starts
                  : step.verb === 'job'
                    ? [step]
                    : [];
            for (const it of rows) at.set(it.service, [...(at.get(it.service) ?? []), index]);
          }
        }
        for (const { name, dependsOn } of plan.services) {
          for (const it of Object.keys(dependsOn)) {
            if (!at.has(name) || !at.has(it)) continue;
            expect(Math.min(...(at.get(name) ?? []))).toBeGreaterThan(Math.max(...(at.get(it) ?? [])));
          }
        }
      }),
    );
  });
});
