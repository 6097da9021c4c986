/**
 * From a change to its being served: Slipway (`git commit`) and docker-compose (`up -d`) take turns on the same engine
 * with the same image, and every service changes its version.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { startCompose } from './compose-contender.ts';
import type { Contender } from './contender.ts';
import { answerOf } from './services.ts';
import { type Moments, type SlipwayContender, startSlipway } from './slipway-contender.ts';
import { median, summarize } from './stats.ts';
import { ratioCell, table, timeCell, timeText } from './table.ts';
import { type Served, watchAnswers } from './watch-answers.ts';

interface Sample extends Served {
  readonly madeAtMs: number;
}

interface Round {
  readonly slipway: Sample & Moments;
  readonly compose: Sample;
}

interface Measured {
  readonly count: number;
  readonly rounds: readonly Round[];
}

const SIZES = [1, 10, 20];
const ROUNDS = 7;
/** What the engine tidies up after a change shall not weigh on the next one. */
const REST_MS = 1_500;

export async function commitToServing(context: BenchContext): Promise<string> {
  const sizes = context.quick ? [1, 2] : SIZES;
  const rounds = context.quick ? 1 : ROUNDS;
  await ensureWebImage();
  const slipway = await startSlipway();
  try {
    const compose = await startCompose(Math.max(...sizes));
    try {
      const measured: Measured[] = [];
      for (const count of sizes) measured.push(await measure(context, { slipway, compose, count, rounds }));
      return report(measured);
    } finally {
      await compose.close();
    }
  } finally {
    await slipway.close();
  }
}

async function measure(
  context: BenchContext,
  of: { slipway: SlipwayContender; compose: Contender; count: number; rounds: number },
): Promise<Measured> {
  const { slipway, compose, count } = of;
  const rounds: Round[] = [];
  let version = 0;
  const next = () => `${count}.${++version}`;
  // What is there first is not counted: it creates, and the changes to be compared replace.
  for (const it of [slipway, compose]) await replace(context, it, count, next());
  for (let round = 0; round < of.rounds; round++) {
    const turns = {
      slipway: async () => ({ ...(await replace(context, slipway, count, next())), ...(await slipway.moments()) }),
      compose: async () => await replace(context, compose, count, next()),
    };
    // Whoever comes second in one round comes first in the next.
    const early = round % 2 === 1 ? await turns.compose() : null;
    const ours = await turns.slipway();
    const theirs = early ?? (await turns.compose());
    rounds.push({ slipway: ours, compose: theirs });
    const text = (it: Sample) => timeText(it.atMs - it.madeAtMs);
    context.say(`${count} services, round ${round + 1}: Slipway ${text(ours)}, docker-compose ${text(theirs)}`);
  }
  return { count, rounds };
}

/** One change of all services, watched until all of them serve it and nothing is left to do. */
async function replace(context: BenchContext, contender: Contender, count: number, version: string): Promise<Sample> {
  await sleep(REST_MS, undefined, { signal: context.signal });
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  try {
    const watching = watchAnswers(contender.endpoints(count), answerOf(version), signal);
    const made = contender.change(count, version);
    const [served, { madeAtMs }] = await Promise.all([watching, made, made.then((it) => it.over)]);
    return { ...served, madeAtMs };
  } finally {
    failed.abort();
  }
}

function report(measured: readonly Measured[]): string {
  const rows = measured.map(({ count, rounds }) => {
    const commit = rounds.map((it) => it.slipway.atMs - it.slipway.madeAtMs);
    const notice = rounds.map((it) => it.slipway.atMs - it.slipway.noticedMs);
    const edit = rounds.map((it) => it.compose.atMs - it.compose.madeAtMs);
    const [ours, noticed, theirs] = [summarize(commit), summarize(notice), summarize(edit)];
    const times = [timeCell(commit), timeCell(notice), timeCell(edit)];
    return [String(count), ...times, ratioCell(ours, theirs), ratioCell(noticed, theirs)];
  });
  const head = ['services', 'Slipway, commit → serving', 'Slipway, notice → serving'];
  return [
    `Median (lowest–highest) of ${measured[0]?.rounds.length} rounds.`,
    table([...head, 'docker-compose, edit → serving', 'ratio, commit', 'ratio, notice'], rows),
    'Where the time of Slipway goes (medians), from the commit on:',
    table(
      ['services', 'noticed', 'steps begin', 'all ready, release in the log', 'serving', 'old ones gone'],
      measured.map(stages),
    ),
    'What a client of the first service saw, over all rounds, until it got the new version:',
    table(['services', 'of', 'requests', 'not answered', 'longest time without an answer'], measured.flatMap(outages)),
  ].join('\n\n');
}

function stages({ count, rounds }: Measured): string[] {
  const pick = [
    (it: Moments) => it.noticedMs,
    (it: Moments) => it.startedMs,
    (it: Moments) => it.committedMs,
    (it: Sample) => it.atMs,
    (it: Moments) => it.doneMs,
  ];
  const cell = (of: (it: Sample & Moments) => number) =>
    timeText(median(rounds.map(({ slipway: it }) => of(it) - it.madeAtMs)));
  return [String(count), ...pick.map(cell)];
}

function outages({ count, rounds }: Measured): string[][] {
  const row = (of: string, samples: readonly Sample[]) => {
    const sum = (pick: (it: Sample) => number) => samples.reduce((total, it) => total + pick(it), 0);
    const gap = Math.max(...samples.map((it) => it.longestGapMs));
    return [
      String(count),
      of,
      String(sum((it) => it.asked)),
      String(sum((it) => it.failed)),
      gap === 0 ? 'none' : timeText(gap),
    ];
  };
  return [
    row(
      'Slipway',
      rounds.map((it) => it.slipway),
    ),
    row(
      'docker-compose',
      rounds.map((it) => it.compose),
    ),
  ];
}
