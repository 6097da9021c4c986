/**
 * From a change to its being served: Slipway (`git commit`) and docker-compose (`up -d`) take turns on the same engine
 * with the same image, and every service changes its version.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type Measured, type Round, report, type Sample } from './commit-report.ts';
import { startCompose } from './compose-contender.ts';
import type { Contender } from './contender.ts';
import { answerOf } from './services.ts';
import { type SlipwayContender, startSlipway } from './slipway-contender.ts';
import { timeText } from './table.ts';
import { watchAnswers } from './watch-answers.ts';

const SIZES = [1, 10, 20];
const ROUNDS = 5;
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
