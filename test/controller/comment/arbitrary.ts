/** Arbitrary comments whose every text is a stranger's who means harm; plans of any number of services. */
import fc from 'fast-check';
import type { CommentModel, PreviewView } from '../../../controller/comment/model.ts';
import type { PlanFailure } from '../../../controller/plan/input.ts';
import { DeployState } from '../../../schemas/deploy.ts';
import type { ShownPlan } from '../../../schemas/forge.ts';
import type { Change, Plan, PlannedSlot, PlanStep } from '../../../schemas/plan.ts';
import type { Evidence } from '../../../schemas/step.ts';
import { BASE, commentModel, HEAD, mergedBy } from '../../builders/comment.ts';
import { planOf } from '../../builders/plan.ts';
import { deployId } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const ATOMS = [
  ['`', '```', '~~~', '~', '|', '\\', '\n', '\r\n', '\t', ' ', '    ', '*a*', '**', '_b_', '__', '$x$', '$$'],
  ['@acme/ops', 'x@evil.example', '#12', 'GH-12', 'ABC-1', 'acme/fleet#1', 'acme/fleet@deadbeef1', 'deadbeef1'],
  ['https://evil.example', 'www.evil.example', 'mailto:x@evil.example', ':+1:', '<https://evil.example>', '://'],
  ['<img src=x onerror=alert(1)>', '<!--', '-->', '--', '<details>', '</details>', '<summary>', '<script>', '<'],
  ['![x](y)', '[x](y)', '[x]: y', '[x][y]', '[^1]', '[ ]', '](', ')', '(', '- ', '+ ', '# ', '1. ', '2) ', '> '],
  ['---', '===', '&lt;', '&#64;acme', '&', '\u202e', '\u200b', '\u0000', '\u001b[31m', '\ud800', '\udfff', '\ufe0f'],
  ['a', 'word', '7', 'é', '世界', '🚀', 'e\u0301', '\u00a0', '\u3000', '.', ':', '!'],
].flat();

/** Text of a stranger, as long as strangers write. */
const hostile: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.array(fc.constantFrom(...ATOMS), { maxLength: 12 }).map((it) => it.join('')), weight: 8 },
  {
    arbitrary: fc
      .tuple(fc.constantFrom(...ATOMS), fc.integer({ min: 1, max: 3_000 }))
      .map(([atom, times]) => atom.repeat(times)),
    weight: 1,
  },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 1 },
);

/** A short list, or one as long as `hostile` texts in it allow in a test. */
function many<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(
    { arbitrary: fc.array(item, { maxLength: 4 }), weight: 6 },
    {
      arbitrary: fc.tuple(item, fc.integer({ min: 0, max: 1_000 })).map(([it, times]) => Array<T>(times).fill(it)),
      weight: 1,
    },
  );
}

const at = '2026-01-03T10:00:00.000Z';
const one = planOf({ services: [serviceSpec()] });

/** A plan of so many services whose free texts are these, one after the other. */
export function planWith(size: number, texts: readonly string[]): Plan {
  const text = (index: number) => texts[index % texts.length] ?? '';
  const slot = (index: number): PlannedSlot => ({
    slot: `s${index}.0`,
    service: `s${index}`,
    machine: `m${index % 7}`,
    spec: 'a'.repeat(64),
    template: 'b'.repeat(64),
    deploy: null,
  });
  const indexes = Array.from({ length: size }, (_, index) => index);
  const kinds: readonly ((index: number) => Change)[] = [
    (index) => ({ kind: 'create', service: `s${index}` }),
    (index) => ({ kind: 'remove', service: `s${index}` }),
    (index) => ({ kind: 'unchanged', service: `s${index}` }),
    (index) => ({
      kind: 'update',
      service: `s${index}`,
      disruption: index % 2 === 0 ? 'in-place' : 'recreate',
      fields: [
        { path: `env.${text(index)}`, before: text(index), after: 'none' },
        { path: text(index + 1), before: text(index), after: text(index + 2) },
      ],
    }),
  ];
  const steps = indexes.map((index): PlanStep => {
    const id = `${index}`;
    const machine = `m${index % 7}`;
    if (index % 3 === 0)
      return { id, verb: 'pull', machine, image: { repo: 'r', digest: 'd' }, imageName: text(index) };
    if (index % 3 === 1) return { id, verb: 'start', machine, slot: slot(index) };
    return { id, verb: 'swap', machine, stops: [slot(index)], starts: [slot(index)], deadlineMs: 1_000 };
  });
  const middle = Math.floor(size / 2);
  const phase = { slots: [], holdMs: 0, commit: 'none' as const };
  return {
    ...one,
    changes: indexes.map((index) => (kinds[index % 4] ?? kinds[0])?.(index) as Change),
    services: indexes.map((index) => ({ ...serviceSpec(), name: `s${index}`, imageName: text(index) })),
    phases: [
      { ...phase, title: text(0), steps: steps.slice(0, middle) },
      { ...phase, title: text(1), steps: steps.slice(middle) },
      { ...phase, title: 'release', steps: [], commit: 'final', slots: indexes.map(slot) },
    ],
    downtime: {
      class: size % 2 === 0 ? 'none' : 'swap',
      services: indexes
        .slice(0, size % 2 === 0 ? 0 : size)
        .map((index) => ({ service: `s${index}`, expectedMs: 1_000, worstMs: 9_000, reason: text(index) })),
    },
    warnings: [...texts],
    destructive: indexes.filter((it) => it % 4 === 1).map(text),
    consents: [...texts],
    approvals: [...texts],
  };
}

/** @param sizes most services of a plan */
export function hostileModel(sizes: number): fc.Arbitrary<CommentModel> {
  const count = fc.oneof({ arbitrary: fc.integer({ min: 0, max: 6 }), weight: 4 }, fc.integer({ min: 0, max: sizes }));
  const plan = fc
    .tuple(count, fc.array(hostile, { minLength: 1, maxLength: 5 }))
    .map(([size, texts]) => planWith(size, texts));
  const failure: fc.Arbitrary<PlanFailure> = fc.record({
    code: fc.constant('NO_CAPACITY' as const),
    service: fc.option(hostile),
    message: hostile,
  });
  const outcome: fc.Arbitrary<CommentModel['outcome']> = fc.oneof(
    fc.record({ kind: fc.constant('conflict' as const), files: many(hostile) }),
    fc.record({ kind: fc.constant('unclear' as const), why: hostile }),
    fc.record({ kind: fc.constant('invalid' as const) }),
    fc.record({ kind: fc.constant('unavailable' as const), why: hostile }),
    fc.record({ kind: fc.constant('refused' as const), failures: many(failure) }),
    { arbitrary: fc.record({ kind: fc.constant('planned' as const), plan }), weight: 5 },
  );
  const problem = fc.record(
    { file: hostile, line: fc.nat(99), column: fc.nat(9), path: hostile, message: hostile, hint: hostile },
    { requiredKeys: ['file', 'line', 'column', 'path', 'message'] },
  );
  const evidence: fc.Arbitrary<Evidence> = fc.record({
    slot: hostile,
    reason: hostile,
    exitCode: fc.option(fc.nat(255)),
    lastProbe: fc.option(hostile),
    logs: many(hostile),
  });
  const merged = fc
    .record({
      state: fc.constantFrom(...DeployState.options),
      phases: many(hostile),
      phase: fc.nat(5),
      actor: hostile,
      pending: many(hostile),
      failure: fc.option(fc.record({ code: hostile, message: hostile, evidence: many(evidence) })),
      note: hostile,
      begun: fc.boolean(),
    })
    .map(({ note, begun, ...rest }) => {
      const made = mergedBy(one, { ...rest, releases: Array.from({ length: rest.phase }, (_, n) => n + 1) });
      return { ...made, note, deploy: begun ? made.deploy : null };
    });
  const preview: fc.Arbitrary<PreviewView> = fc.record({
    namespace: hostile,
    state: fc.constantFrom('starting', 'waiting-for-image', 'running', 'failed', 'removing', 'removed', 'refused'),
    urls: many(
      fc.record({
        service: hostile,
        url: fc
          .tuple(fc.constantFrom('https://x.example/', 'javascript:', 'ftp://x.example/'), hostile)
          .map((it) => it.join('')),
      }),
    ),
    message: hostile,
    forkedFrom: fc.option(hostile),
    release: fc.option(fc.nat(9)),
    expiresAt: fc.option(hostile),
  });
  const shown: fc.Arbitrary<ShownPlan> = fc.record({
    plan: fc.constant('c'.repeat(64)),
    head: fc.constant(HEAD),
    base: fc.constant(BASE),
    release: fc.option(fc.nat(9)),
    verdict: hostile,
    at: fc.oneof(fc.constant(at), hostile),
  });
  const kind = fc.constantFrom('consent' as const, 'approval' as const);
  return fc
    .record({
      installation: hostile,
      namespace: fc.constantFrom('production', 'pr-7', 'a--b', 'deadbeef', '1-2'),
      baseBranch: hostile,
      outcome,
      problems: many(problem),
      live: fc.option(fc.constant({ n: 41, at, revision: BASE })),
      missing: fc.uniqueArray(kind),
      given: many(fc.record({ kind, by: hostile })),
      obstacles: many(hostile),
      preview: fc.option(preview),
      merged: fc.option(merged),
      closed: fc.boolean(),
      history: many(shown),
      reviewed: fc.option(fc.constant({ plan: 'c'.repeat(64), head: HEAD, release: 1 })),
      command: fc.option(
        fc.record({ by: hostile, command: hostile, ok: fc.boolean(), text: hostile, at: fc.constant(deployId()) }),
      ),
      notes: many(hostile),
      showEnv: fc.boolean(),
    })
    .map((it) => commentModel(it));
}
