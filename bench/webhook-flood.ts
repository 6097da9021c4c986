/** 10,000 webhooks at once, a third of them twice, late or forged: what comes of them, how fast, and in how much memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger } from '../schemas/logger.ts';
import { systemClock } from '../store/clock.ts';
import { connectNats } from '../store/nats.ts';
import { startNats } from '../test/lab/nats.ts';
import { type FloodResult, runFlood } from '../test/lab/webhook-flood.ts';
import type { BenchContext } from './benchmark.ts';
import { quantile } from './stats.ts';
import { table, timeText } from './table.ts';

const FLOODS = [1_000, 10_000] as const;
const PULLS = 200;
const SENDERS = 32;
/** What a pass takes here; a real one reads the API and git. */
const PASS_MS = 20;

interface Measured {
  readonly count: number;
  readonly result: FloodResult;
  readonly heapBytes: { readonly before: number; readonly most: number; readonly after: number };
}

export async function webhookFlood(context: BenchContext): Promise<string> {
  const collect = garbageCollector();
  const rows: Measured[] = [];
  for (const count of context.quick ? [200] : FLOODS) {
    const measured = await flood(count, collect, context);
    context.say(`${count} deliveries: sent in ${timeText(measured.result.sendingMs)}`);
    rows.push(measured);
  }
  return report(rows);
}

async function flood(count: number, collect: () => void, { signal }: BenchContext): Promise<Measured> {
  const nats = await startNats();
  const store = await connectNats({ url: nats.url, name: 'flood', clock: systemClock, log: silentLogger, signal });
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  try {
    const before = used();
    let most = before;
    const sample = () => {
      most = Math.max(most, used());
    };
    const result = await runFlood({ store, count, pulls: PULLS, senders: SENDERS, passMs: PASS_MS, signal, sample });
    const { plannedTwice, overlaps, unplanned, lostComments, inventedComments, repeatedComments } = result;
    const wrong = { plannedTwice, overlaps, unplanned, lostComments, inventedComments, repeatedComments };
    if (Object.values(wrong).some((it) => it > 0)) throw new Error(`something went wrong: ${JSON.stringify(wrong)}`);
    return { count, result, heapBytes: { before, most, after: used() } };
  } finally {
    await store.close();
    await nats.stop();
  }
}

function report(rows: readonly Measured[]): string {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const times = table(
    ['deliveries', 'a second', 'answer p50', 'answer p95', 'slowest answer', 'comment → command p50', 'p95'],
    rows.map(({ count, result }) => [
      count.toLocaleString('en'),
      `**${Math.round(count / (result.sendingMs / 1_000)).toLocaleString('en')}**`,
      timeText(quantile(result.answerMs, 0.5)),
      `**${timeText(quantile(result.answerMs, 0.95))}**`,
      timeText(quantile(result.answerMs, 1)),
      timeText(quantile(result.commentMs, 0.5)),
      timeText(quantile(result.commentMs, 0.95)),
    ]),
  );
  const work = table(
    [
      'deliveries',
      'stored',
      'known',
      'refused',
      'passes',
      'plans',
      'pushes',
      'looks at git',
      'most waiting',
      'all done after',
    ],
    rows.map(({ count, result }) => [
      count.toLocaleString('en'),
      String(result.answers['202 STORED'] ?? 0),
      String(result.answers['202 SEEN_BEFORE'] ?? 0),
      String(result.answers['401 BAD_SIGNATURE'] ?? 0),
      String(result.passes),
      String(result.plans),
      String(result.pushes),
      String(result.looksAtGit),
      String(result.mostWaiting),
      timeText(result.drainMs),
    ]),
  );
  const memory = table(
    ['deliveries', 'heap before', 'most', 'after'],
    rows.map(({ count, heapBytes: { before, most, after } }) => [
      count.toLocaleString('en'),
      mebibytes(before),
      `**${mebibytes(most)}**`,
      mebibytes(after),
    ]),
  );
  return `${times}\n\n${work}\n\nHeap in use after a collection, with sender, forge and receiver in one process:\n\n${memory}`;
}

/** Node gives it to no one who does not ask. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
