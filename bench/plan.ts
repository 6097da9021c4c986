/**
 * From the text of manifests to a plan on the screen, in this process, by the functions that `slipway plan` uses: no
 * git, no state, no agent.
 */
import { type ManifestFile, readDocument } from '../controller/manifest/read.ts';
import { planId } from '../controller/plan/id.ts';
import type { PlanInput } from '../controller/plan/input.ts';
import { renderTerminal } from '../controller/plan/render-terminal.ts';
import { desiredDigest } from '../controller/reconcile.ts';
import type { BenchContext } from './benchmark.ts';
import { manifestFiles } from './plan-manifests.ts';
import { desiredOf, planOf, released } from './plan-subject.ts';
import { table, timeCell, timeText } from './table.ts';

/** Services → runs that count. */
const SIZES: Readonly<Record<number, number>> = { 1_000: 9, 10_000: 5 };
const QUICK: Readonly<Record<number, number>> = { 10: 1, 20: 1 };

/** Times of one run, in milliseconds. `of…` is contained in the line before. */
interface Times {
  readonly read: number;
  readonly ofParse: number;
  readonly digest: number;
  readonly plan: number;
  readonly ofId: number;
  readonly render: number;
}

const PARTS = {
  read: 'manifest text → desired',
  ofParse: '… of it parsing TOML',
  digest: 'digest of the desired state',
  plan: 'desired × released → plan',
  ofId: '… of it the plan id',
  render: 'plan → text for a terminal',
} as const satisfies Record<keyof Times, string>;

/** What is live, seen from a desired state: `nothing`, the same in an `older` version, or exactly `this`. */
type Live = 'nothing' | 'older' | 'this';

/** In this order: before the first of them nothing has run, so that its first run is a cold one. */
const CASES = {
  nothing: 'nothing is live yet',
  older: 'every service changes its version',
  this: 'nothing changes',
} as const satisfies Record<Live, string>;

export async function plan(context: BenchContext): Promise<string> {
  const runs = context.quick ? QUICK : SIZES;
  const sizes = Object.keys(runs).map(Number);
  const times = new Map<string, Times[]>();
  for (const size of sizes) {
    for (const live of Object.keys(CASES) as Live[]) {
      context.signal.throwIfAborted();
      times.set(`${size} ${live}`, measure(size, live, runs[size] ?? 1));
      context.say(
        `${size} services, ${CASES[live]}: ${timeText(total(times.get(`${size} ${live}`)?.[0]))} in the first run`,
      );
    }
  }
  const of = (size: number, live: Live) => times.get(`${size} ${live}`) ?? [];
  const cell = (size: number, live: Live, pick: (it: Times) => number) => timeCell(warm(of(size, live)).map(pick));
  const head = ['', ...sizes.map((it) => `${it.toLocaleString('en')} services`)];
  const parts = (Object.keys(PARTS) as (keyof Times)[]).map((part) => [
    PARTS[part],
    ...sizes.map((size) => cell(size, 'older', (it) => it[part])),
  ]);
  const totals = (Object.keys(CASES) as Live[]).map((live) => [
    CASES[live],
    ...sizes.map((size) => cell(size, live, total)),
  ]);
  const smallest = sizes[0] ?? 0;
  const counted = sizes.map((it) => `${runs[it]} (${it.toLocaleString('en')} services)`).join(' and ');
  const cold = timeText(total(of(smallest, 'nothing')[0]));
  return [
    `Every service changes its version; median (lowest–highest) of ${counted} runs, after one that does not count.`,
    table(head, parts),
    'All parts together, by what is live:',
    table(head, totals),
    `The very first run, by code that had not run yet, as it is in a command: ${cold} for ${head[1]}, nothing live.`,
  ].join('\n\n');
}

/** Without the first. */
function warm(runs: readonly Times[]): readonly Times[] {
  return runs.slice(1);
}

function total(it: Times | undefined): number {
  return it === undefined ? 0 : it.read + it.digest + it.plan + it.render;
}

function measure(size: number, live: Live, runs: number): Times[] {
  const files = manifestFiles(size, '2');
  const before = live === 'nothing' ? null : released(manifestFiles(size, live === 'this' ? '2' : '1'));
  return Array.from({ length: runs + 1 }, () => run(files, before));
}

function run(files: readonly ManifestFile[], before: PlanInput['released']): Times {
  const [read, desired] = timed(() => desiredOf(files));
  const [ofParse] = timed(() => files.map(readDocument));
  const [digest, desiredId] = timed(() => desiredDigest(desired));
  const [planned, made] = timed(() => planOf(desired, desiredId, before));
  const [ofId] = timed(() => planId(made));
  const [render] = timed(() => renderTerminal(made));
  return { read, ofParse, digest, plan: planned, ofId, render };
}

function timed<T>(work: () => T): readonly [number, T] {
  const begunAt = performance.now();
  const result = work();
  return [performance.now() - begunAt, result];
}
