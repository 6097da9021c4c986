/** From a plan to the comment on a pull request, in this process and by the function that writes it: no git, no forge. */
import type { CommentModel } from '../controller/comment/model.ts';
import { renderComment } from '../controller/comment/render.ts';
import { desiredDigest } from '../controller/reconcile.ts';
import type { BenchContext } from './benchmark.ts';
import { manifestFiles } from './plan-manifests.ts';
import { desiredOf, planOf, released } from './plan-subject.ts';
import { table, timeCell } from './table.ts';

const SIZES = [1, 20, 200, 1_000] as const;
const QUICK = [1, 20] as const;
const RUNS = 50;
/** Until the code is as fast as it gets in a controller that runs for days. */
const WARM_UP = 20;

export async function comment(context: BenchContext): Promise<string> {
  const rows = (context.quick ? QUICK : SIZES).map((size) => {
    context.signal.throwIfAborted();
    const model = modelOf(size);
    const timesMs = Array.from({ length: context.quick ? 2 : WARM_UP + RUNS }, () => timeOf(model));
    const bytes = Buffer.byteLength(renderComment(model));
    context.say(`${size} services: ${bytes} bytes`);
    return [
      size.toLocaleString('en'),
      timeCell(timesMs.slice(context.quick ? 1 : WARM_UP)),
      bytes.toLocaleString('en'),
    ];
  });
  return [
    `Every service changes its version; median (lowest–highest) of ${RUNS} runs, after ${WARM_UP} that do not count. A forge takes 65,536 bytes: what does not fit is counted in the comment.`,
    table(['services', 'plan → comment', 'bytes'], rows),
  ].join('\n\n');
}

function timeOf(model: CommentModel): number {
  const begunAt = performance.now();
  renderComment(model);
  return performance.now() - begunAt;
}

function modelOf(size: number): CommentModel {
  const desired = desiredOf(manifestFiles(size, '2'));
  const plan = planOf(desired, desiredDigest(desired), released(manifestFiles(size, '1')));
  return {
    installation: '0a1b2c3d',
    namespace: plan.namespace,
    pull: 1,
    head: '1'.repeat(40),
    base: '2'.repeat(40),
    baseBranch: 'main',
    outcome: { kind: 'planned', plan },
    problems: [],
    live: { n: 1, at: '2026-01-01T00:00:00.000Z', revision: '2'.repeat(40) },
    missing: ['approval'],
    given: [],
    obstacles: [],
    preview: null,
    merged: null,
    closed: false,
    history: [],
    command: null,
    notes: [],
    webUrl: 'https://forge.example/acme/fleet',
    showEnv: false,
  };
}
