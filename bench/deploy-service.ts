/**
 * `slipway deploy service` in a namespace of 20 services, beside `docker-compose up -d` of the same 20: nothing to do, and
 * another version of one service.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage, WEB_IMAGE } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type ComposeContender, startCompose } from './compose-contender.ts';
import { type FleetLab, startFleetLab } from './fleet-lab.ts';
import { answerOf, type Endpoint, hostnameOf, manifest, serviceNames } from './services.ts';
import { summarize } from './stats.ts';
import { ratioCell, table, timeCell, timeText } from './table.ts';
import { type Served, watchAnswers } from './watch-answers.ts';

const NAMESPACE = 'bench';
const SERVICES = 20;
const UNCHANGED_ROUNDS = 15;
const CHANGE_ROUNDS = 7;
/** What the engine tidies up after a change shall not weigh on the next one. */
const REST_MS = 1_500;
const FIRST_VERSION = '1';

/** One run of a command, in milliseconds from its start. */
interface Run extends Served {
  readonly servingMs: number;
  readonly endedMs: number;
}

interface Rounds {
  readonly unchanged: { readonly slipway: number[]; readonly compose: number[] };
  readonly changed: { readonly slipway: Run[]; readonly compose: Run[] };
}

export async function deployService(context: BenchContext): Promise<string> {
  const services = context.quick ? 2 : SERVICES;
  await ensureWebImage();
  const lab = await startFleetLab();
  try {
    const compose = await startCompose(services);
    try {
      await lab.commit({ [`namespaces/${NAMESPACE}.json`]: manifest(NAMESPACE, services, FIRST_VERSION) });
      await lab.settled();
      await (await compose.change(services, FIRST_VERSION)).over;
      context.say(`${services} services are live on both sides`);
      return report(services, await measure(context, lab, compose, services));
    } finally {
      await compose.close();
    }
  } finally {
    await lab.close();
  }
}

async function measure(context: BenchContext, lab: FleetLab, compose: ComposeContender, services: number) {
  const [first = ''] = serviceNames(services);
  const rounds: Rounds = { unchanged: { slipway: [], compose: [] }, changed: { slipway: [], compose: [] } };
  const ours = { port: lab.host.httpPort, hostname: hostnameOf(first) };
  const [theirs = ours] = compose.endpoints(services);
  const deploy = async (version: string) => await deployFirst(lab, first, version);
  const up = async (version: string) => await (await compose.change(services, FIRST_VERSION, version)).over;
  const rest = async () => await sleep(REST_MS, undefined, { signal: context.signal });

  for (let round = 1; round <= (context.quick ? 1 : UNCHANGED_ROUNDS); round++) {
    await rest();
    rounds.unchanged.slipway.push(await timed(() => deploy(FIRST_VERSION)));
    rounds.unchanged.compose.push(await timed(() => up(FIRST_VERSION)));
  }
  for (let round = 1; round <= (context.quick ? 1 : CHANGE_ROUNDS); round++) {
    const version = `${round}.changed`;
    const turns = [
      async () => rounds.changed.slipway.push(await replaced(context, ours, version, () => deploy(version))),
      async () => rounds.changed.compose.push(await replaced(context, theirs, version, () => up(version))),
    ];
    // Whoever comes second in one round comes first in the next.
    for (const turn of round % 2 === 1 ? turns : turns.toReversed()) {
      await rest();
      await turn();
    }
    const text = (it: Run | undefined) => timeText(it?.servingMs ?? 0);
    const [slipway, other] = [rounds.changed.slipway.at(-1), rounds.changed.compose.at(-1)];
    context.say(`round ${round}: Slipway ${text(slipway)}, docker-compose ${text(other)}`);
  }
  return rounds;
}

async function deployFirst(lab: FleetLab, service: string, version: string): Promise<void> {
  const args = ['--namespace', NAMESPACE, '--image', WEB_IMAGE, '-e', `VERSION=${version}`];
  const ran = await lab.host.slipway(['deploy', 'service', service, ...args]);
  if (ran.code !== 0) throw new Error(`deploy service: exit ${ran.code}\n${ran.stdout}${ran.stderr}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
}

async function replaced(
  context: BenchContext,
  endpoint: Endpoint,
  version: string,
  work: () => Promise<void>,
): Promise<Run> {
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  try {
    const begunAtMs = Date.now();
    const watching = watchAnswers([endpoint], answerOf(version), signal);
    const [served, endedMs] = await Promise.all([watching, timed(work)]);
    return { ...served, servingMs: served.atMs - begunAtMs, endedMs };
  } finally {
    failed.abort();
  }
}

function report(services: number, { unchanged, changed }: Rounds): string {
  const row = (what: string, ours: readonly number[], theirs: readonly number[]) => [
    what,
    timeCell(ours),
    timeCell(theirs),
    ratioCell(summarize(ours), summarize(theirs)),
  ];
  const pick = (of: 'servingMs' | 'endedMs') =>
    [changed.slipway.map((it) => it[of]), changed.compose.map((it) => it[of])] as const;
  const times = table(
    [`one of ${services} services`, 'slipway deploy service', 'docker-compose up -d', 'ratio'],
    [
      row('nothing to change, until the command ends', unchanged.slipway, unchanged.compose),
      row('another version, until it is served', ...pick('servingMs')),
      row('another version, until the command ends', ...pick('endedMs')),
    ],
  );
  const seen = (of: string, runs: readonly Run[]) => {
    const sum = (count: (it: Run) => number) => String(runs.reduce((total, it) => total + count(it), 0));
    const gapMs = Math.max(...runs.map((it) => it.longestGapMs));
    return [of, sum((it) => it.asked), sum((it) => it.failed), gapMs === 0 ? 'none' : timeText(gapMs)];
  };
  const clients = table(
    ['of', 'requests', 'not answered', 'longest time without an answer'],
    [seen('Slipway', changed.slipway), seen('docker-compose', changed.compose)],
  );
  const runs = `Median (lowest–highest) of ${unchanged.slipway.length} runs without and ${changed.slipway.length} with a change.`;
  return `${runs}\n\n${times}\n\nWhat a client of the service saw until it got the new version:\n\n${clients}`;
}
