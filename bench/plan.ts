/**
 * From the text of manifests to a plan on the screen, in this process, by the functions that `slipway plan` uses: no
 * git, no state, no agent.
 */
import { loadNamespaces } from '../controller/manifest/load.ts';
import type { ManifestFile } from '../controller/manifest/read.ts';
import { readDocument } from '../controller/manifest/read.ts';
import { parseSettings } from '../controller/manifest/settings.ts';
import { buildPlan } from '../controller/plan/build.ts';
import { planId } from '../controller/plan/id.ts';
import type { PlanInput } from '../controller/plan/input.ts';
import { renderTerminal } from '../controller/plan/render-terminal.ts';
import { releaseFrom } from '../controller/plan/target.ts';
import { desiredDigest } from '../controller/reconcile.ts';
import type { Plan } from '../schemas/plan.ts';
import type { Desired, ImageRef } from '../schemas/service.ts';
import { specDigest } from '../schemas/service.ts';
import type { BenchContext } from './benchmark.ts';
import { manifestFiles } from './plan-manifests.ts';
import { table, timeCell, timeText } from './table.ts';

const SIZES = [1_000, 10_000];
const RUNS = 9;
const MACHINES = 10;

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

const CASES = {
  older: 'every service changes its version',
  nothing: 'nothing is live yet',
  this: 'nothing changes',
} as const satisfies Record<Live, string>;

export async function plan(context: BenchContext): Promise<string> {
  const sizes = context.quick ? [10, 20] : SIZES;
  const times = new Map<string, Times[]>();
  for (const size of sizes) {
    for (const live of Object.keys(CASES) as Live[]) {
      context.signal.throwIfAborted();
      times.set(`${size} ${live}`, measure(size, live, context.quick ? 1 : RUNS));
      context.say(
        `${size} services, ${CASES[live]}: ${timeText(total(times.get(`${size} ${live}`)?.[0]))} in the first run`,
      );
    }
  }
  // The first run of each is shown by itself: code that has not run yet is slower, and a command runs it once.
  const of = (size: number, live: Live) => times.get(`${size} ${live}`) ?? [];
  const cell = (size: number, live: Live, pick: (it: Times) => number) => timeCell(warm(of(size, live)).map(pick));
  const head = ['', ...sizes.map((it) => `${it.toLocaleString('en')} services`)];
  const parts = (Object.keys(PARTS) as (keyof Times)[]).map((part) => [
    PARTS[part],
    ...sizes.map((size) => cell(size, 'older', (it) => it[part])),
  ]);
  const totals = (Object.keys(CASES) as Live[]).map((live) => [
    CASES[live],
    ...sizes.map((size) => `${cell(size, live, total)}, first run ${timeText(total(of(size, live)[0]))}`),
  ]);
  return [
    `Every service changes its version; median (lowest–highest) of ${warm(of(sizes[0] ?? 0, 'older')).length} runs.`,
    table(head, parts),
    'All parts together, by what is live:',
    table(head, totals),
  ].join('\n\n');
}

function warm(runs: readonly Times[]): readonly Times[] {
  return runs.length > 1 ? runs.slice(1) : runs;
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

function desiredOf(files: readonly ManifestFile[]): Desired {
  const { settings } = parseSettings(null);
  if (settings === null) throw new Error('the default settings have problems');
  const { desired, problems } = loadNamespaces(files, settings);
  const [first] = desired;
  if (first === undefined || problems.length > 0) throw new Error(JSON.stringify(problems.slice(0, 3)));
  return first;
}

function planOf(desired: Desired, digest: string, released: PlanInput['released']): Plan {
  const image: ImageRef = { repo: 'registry.example/acme/shop', digest: `sha256:${'a'.repeat(64)}` };
  const registeredAt = '2026-01-01T00:00:00.000Z';
  const result = buildPlan({
    kind: 'deploy',
    desired,
    desiredDigest: digest,
    revision: '1'.repeat(40),
    managedBy: 'git',
    rollbackTo: null,
    tip: released?.release.n ?? 0,
    released,
    machines: Array.from({ length: MACHINES }, (_, index) => ({
      machine: { name: `m${index}`, labels: {}, region: null, zone: null, registeredAt },
      memoryBytes: null,
      cpuMillicores: null,
    })),
    images: Object.fromEntries(desired.services.map((it) => [it.name, image])),
    finishedJobs: [],
    others: [],
    volumeRows: [],
    keptRows: [],
    gatewayPorts: [80],
    maxRemovePercent: 50,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.failures.slice(0, 3)));
  return result.plan;
}

/** The release that a deploy of the files leaves. */
function released(files: readonly ManifestFile[]): PlanInput['released'] {
  const desired = desiredOf(files);
  const made = planOf(desired, desiredDigest(desired), null);
  const phase = made.phases.at(-1);
  if (phase === undefined) throw new Error('the plan has no phase');
  const about = { deploy: '0000000000000000', n: 1, at: '2026-01-01T00:00:00.000Z', actor: 'bench' };
  const release = releaseFrom({ plan: made, phase, ...about });
  return { release, specs: new Map(made.services.map((it) => [specDigest(it), it])) };
}
