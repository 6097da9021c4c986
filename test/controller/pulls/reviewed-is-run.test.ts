/**
 * What was reviewed is what runs: in a namespace where plans are approved, every release is one whose plan was shown, over
 * the release that it replaced, before somebody approved it who could when it was carried out. With one of the guards
 * taken out, the same walks find a release that nobody let run.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers } from '../../../controller/consent/needs.ts';
import { createReviewWorld, type Guards, PEOPLE, type ReviewWorld, SERVICES } from './review-world.ts';

type Act = (world: ReviewWorld) => Promise<unknown> | void;
interface Step {
  readonly name: string;
  readonly act: Act;
}

const number = fc.integer({ min: 1, max: 3 });
const version = fc.integer({ min: 0, max: 2 });
const service = fc.constantFrom(...SERVICES);
const person = fc.constantFrom(...PEOPLE);
/** fast-check prints steps by name, so that a walk that failed can be read. */
const step = <T extends unknown[]>(
  name: string,
  parts: { [K in keyof T]: fc.Arbitrary<T[K]> },
  act: (world: ReviewWorld, ...args: T) => Promise<unknown> | void,
): fc.Arbitrary<Step> =>
  fc.tuple(...parts).map((args) => {
    const shown = args.map((it) => (typeof it === 'object' && it !== null && 'login' in it ? it.login : it));
    const text = `${name} ${shown.join(' ')}`;
    return { name: text, act: (world) => act(world, ...(args as T)), toString: () => text };
  });

const STEPS = fc.oneof(
  { weight: 2, arbitrary: step('push', [number, service, version], (it, ...args) => it.push(...args)) },
  { weight: 5, arbitrary: step('show', [number], (it, of) => it.show(of)) },
  {
    weight: 4,
    arbitrary: step('merge', [number, fc.constantFrom('merge' as const, 'squash' as const)], (it, ...args) =>
      it.merge(...args),
    ),
  },
  { weight: 6, arbitrary: step('pass', [], (it) => it.pass()) },
  {
    weight: 3,
    arbitrary: step('deploy by hand', [service, version, fc.constantFrom(true, true, false)], (it, ...args) =>
      it.deployByHand(...args),
    ),
  },
  {
    weight: 8,
    arbitrary: step('approve', [person, number, fc.integer({ min: 0, max: 2 })], (it, ...args) => it.approve(...args)),
  },
  {
    weight: 4,
    arbitrary: step('show and approve', [person, number], async (it, user, of) => {
      await it.show(of);
      await it.approve(user, of, 0);
    }),
  },
  { weight: 1, arbitrary: step('take back', [fc.nat(2)], (it, of) => it.takeBack(of)) },
  {
    weight: 2,
    arbitrary: step('permit', [person, fc.constantFrom('none', 'read', 'write', 'admin')], (it, ...args) =>
      it.permit(...args),
    ),
  },
  { weight: 1, arbitrary: step('ask for changes', [number, fc.boolean()], (it, ...args) => it.askForChanges(...args)) },
);

const seen = { walks: 0, releases: 0 };

function nothingRunsUnseen(guards: Guards = {}) {
  return fc.asyncProperty(fc.array(STEPS, { minLength: 6, maxLength: 30 }), async (steps) => {
    const world = await createReviewWorld(guards);
    try {
      for (const { act } of steps) await act(world);
      await world.pass();
      seen.walks += 1;
      seen.releases += await world.releases();
    } finally {
      await world.close();
    }
  });
}

/** The same walks on every run: whether the guard is missed must not be luck. */
const FIND = { numRuns: 1_000, endOnFailure: true, seed: 3 };

const TAKEN_OUT: Record<string, Guards> = {
  'the release that a plan starts from': {
    covers: (it, plan) => covers(it, { ...plan, release: it?.release ?? null }),
  },
  'the id of the plan': { covers: (it, plan) => covers(it, { ...plan, id: it?.plan ?? '' }) },
  'what the forge says when it is carried out': { confirmWhenRun: async () => null },
};

describe('where plans are approved', () => {
  it('nothing runs that nobody saw and let run', async () => {
    await fc.assert(nothingRunsUnseen(), { numRuns: 100 });
    // The walks are worth nothing if hardly anything runs in them.
    expect(seen.releases).toBeGreaterThan(seen.walks / 4);
  });

  it.each(Object.entries(TAKEN_OUT))('without a check of %s something does', async (_, guards) => {
    const found = await fc.check(nothingRunsUnseen(guards), FIND);
    expect(found.errorInstance).toMatchObject({ message: expect.stringContaining('which nobody may have let run') });
  });
});
