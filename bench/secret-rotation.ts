/**
 * A new value of a secret that every service uses: Slipway (`slipway secret set`) and docker-compose (an edited value,
 * `up -d`) take turns on the same engine. Clients ask every service all the time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage } from '../test/lab/images.ts';
import { startProber } from '../test/lab/probe.ts';
import type { BenchContext } from './benchmark.ts';
import { startCompose } from './compose-contender.ts';
import type { Contender } from './contender.ts';
import { startFleetLab } from './fleet-lab.ts';
import { answerOf, hostnameOf, manifest, serviceNames } from './services.ts';
import { summarize } from './stats.ts';
import { ratioCell, table, timeCell, timeText } from './table.ts';
import { watchAnswers } from './watch-answers.ts';

const SERVICES = 20;
const ROUNDS = 5;
const REST_MS = 1_500;
/** Each client asks one service, and asks again so long after each answer. */
const CLIENT_PAUSE_MS = 20;
const NAMESPACE = 'bench';
const TARGET = `${NAMESPACE}/word`;

interface Turn {
  readonly ms: number;
  readonly asked: number;
  readonly failed: number;
}

export async function secretRotation(context: BenchContext): Promise<string> {
  const count = context.quick ? 2 : SERVICES;
  const rounds = context.quick ? 1 : ROUNDS;
  await ensureWebImage();
  const slipway = await startRotating(count);
  const compose = await startCompose(count);
  try {
    for (const it of [slipway, compose]) await turn(context, it, count, 'first');
    const turns = { slipway: [] as Turn[], compose: [] as Turn[] };
    for (let round = 1; round <= rounds; round += 1) {
      const order = round % 2 === 1 ? (['slipway', 'compose'] as const) : (['compose', 'slipway'] as const);
      for (const name of order)
        turns[name].push(await watched(context, name === 'slipway' ? slipway : compose, count, `v${round}`));
      const [ours, theirs] = [turns.slipway.at(-1), turns.compose.at(-1)];
      context.say(`round ${round}: Slipway ${timeText(ours?.ms ?? 0)}, docker-compose ${timeText(theirs?.ms ?? 0)}`);
    }
    return report(count, rounds, turns);
  } finally {
    await compose.close();
    await slipway.close();
  }
}

/** Slipway with services that all answer the secret's value. */
async function startRotating(count: number): Promise<Contender> {
  const lab = await startFleetLab();
  const set = async (value: string) => {
    const ran = await lab.host.slipway(['secret', 'set', TARGET], {}, value);
    if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr);
  };
  try {
    await set('nothing yet');
    const files = { [`namespaces/${NAMESPACE}.json`]: manifest(NAMESPACE, count, '{{secret:word}}') };
    await lab.commit(files);
    await lab.settled();
  } catch (error) {
    await lab.close();
    throw error;
  }
  return {
    endpoints: () => serviceNames(count).map((name) => ({ port: lab.host.httpPort, hostname: hostnameOf(name) })),
    async change(_, version) {
      return { madeAtMs: Date.now(), over: set(version) };
    },
    close: () => lab.close(),
  };
}

/** One rotation while a client of every service asks; clients stop when everything is over. */
async function watched(context: BenchContext, contender: Contender, count: number, value: string): Promise<Turn> {
  await sleep(REST_MS, undefined, { signal: context.signal });
  const clients = contender
    .endpoints(count)
    .map(({ port, hostname }) => startProber({ port, host: hostname, everyMs: CLIENT_PAUSE_MS }));
  try {
    const ms = await turn(context, contender, count, value);
    const answers = clients.flatMap((it) => it.answers);
    return { ms, asked: answers.length, failed: answers.filter((it) => it.body === null).length };
  } finally {
    await Promise.all(clients.map((it) => it.stop()));
  }
}

/** Milliseconds from the change until every service answers it; returns when nothing is left to do. */
async function turn(context: BenchContext, contender: Contender, count: number, value: string): Promise<number> {
  const watching = watchAnswers(contender.endpoints(count), answerOf(value), context.signal);
  const { madeAtMs, over } = await contender.change(count, value);
  const [served] = await Promise.all([watching, over]);
  return served.atMs - madeAtMs;
}

function report(count: number, rounds: number, turns: Record<'slipway' | 'compose', readonly Turn[]>): string {
  const times = (of: readonly Turn[]) => of.map((it) => it.ms);
  const sum = (of: readonly Turn[], pick: (it: Turn) => number) => String(of.reduce((all, it) => all + pick(it), 0));
  const row = (name: string, of: readonly Turn[]) => [
    name,
    timeCell(times(of)),
    ratioCell(summarize(times(of)), summarize(times(turns.compose))),
    sum(of, (it) => it.asked),
    sum(of, (it) => it.failed),
  ];
  return [
    `${count} services, a client of each; median (lowest–highest) of ${rounds} rounds.`,
    table(
      ['', 'new value → all serve it', 'ratio', 'requests', 'not answered'],
      [row('`slipway secret set`', turns.slipway), row('`docker-compose up -d`', turns.compose)],
    ),
  ].join('\n\n');
}
