/** The rounds of commit-to-serving.ts as tables. Pure. */
import type { Moments } from './slipway-contender.ts';
import { median, summarize } from './stats.ts';
import { ratioCell, table, timeCell, timeText } from './table.ts';
import type { Served } from './watch-answers.ts';

/** One change, watched until it was served. */
export interface Sample extends Served {
  readonly madeAtMs: number;
}

/** Both contenders' turns. */
export interface Round {
  readonly slipway: Sample & Moments;
  readonly compose: Sample;
}

export interface Measured {
  readonly count: number;
  readonly rounds: readonly Round[];
}

/** Three tables: the comparison, where our time goes, what clients saw. */
export function report(measured: readonly Measured[]): string {
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
