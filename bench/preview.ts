/**
 * `opened` → the URL of the preview answers: three services forked from a live namespace, beside `docker run` of the same
 * three containers, in turns on the same engine.
 */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../test/lab/host.ts';
import { ensureWebImage, WEB_IMAGE } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type PullLab, seen, startPullLab } from './pull-lab.ts';
import { answerOf } from './services.ts';
import { summarize } from './stats.ts';
import { ratioCell, table, timeCell, timeText } from './table.ts';
import { watchAnswers } from './watch-answers.ts';

/** Of one round, in milliseconds from the first delivery. */
interface Opened {
  readonly commentMs: number;
  readonly answersMs: number;
  readonly saidMs: number;
  readonly goneMs: number;
}

const ROUNDS = 9;
const REST_MS = 2_000;
const SERVICES = ['web', 'api', 'worker'] as const;
const SOURCE = 'staging';
const PATH = `namespaces/${SOURCE}.json`;
const SETTINGS = `[previews]\nsource = "${SOURCE}"\nhost = "{service}-pr-{number}.bench.example"\n`;

export async function preview(context: BenchContext): Promise<string> {
  await ensureWebImage();
  const lab = await startPullLab({ files: { 'slipway.toml': SETTINGS } });
  try {
    await lab.deploy({ [PATH]: manifest('1') });
    const ours: Opened[] = [];
    const theirs: number[] = [];
    for (let round = 1; round <= (context.quick ? 1 : ROUNDS); round++) {
      const version = `2.${round}`;
      const turns = [
        async () => ours.push(await opened(context, lab, version)),
        async () => theirs.push(await dockerRun(context, version)),
      ];
      // Whoever comes second in one round comes first in the next.
      for (const turn of round % 2 === 1 ? turns : turns.toReversed()) {
        await sleep(REST_MS, undefined, { signal: context.signal });
        await turn();
      }
      const [slipway = 0, docker = 0] = [ours.at(-1)?.answersMs, theirs.at(-1)];
      context.say(`round ${round}: Slipway ${timeText(slipway)}, docker run ${timeText(docker)}`);
    }
    return report(ours, theirs);
  } finally {
    await lab.close();
  }
}

/** The first has the URL, the second is for the others only, the third listens to nobody. */
function manifest(version: string): string {
  const template = { image: WEB_IMAGE, env: { VERSION: version } };
  const listens = {
    service_ports: [{ name: 'http', container_port: 8080 }],
    readiness: { http: { service_port: 'http', path: '/healthz' } },
  };
  const route = { http: { service_port: 'http', hostnames: [`${SOURCE}.bench.example`] } };
  const [web, api, worker] = SERVICES;
  const services = [
    { name: web, template, ...listens, routes: [route] },
    { name: api, template, ...listens },
    { name: worker, template },
  ];
  return `${JSON.stringify({ namespace: SOURCE, services }, null, 2)}\n`;
}

/** One pull request from its opening to the proof that nothing of its preview is left. */
async function opened(context: BenchContext, lab: PullLab, version: string): Promise<Opened> {
  const { fleet, host } = lab;
  const { signal } = context;
  const branch = `change-${version}`;
  const head = await fleet.commit(branch, { [PATH]: manifest(version) }, { by: 'alice' });
  const { value: number, sentAtMs } = await lab.tell(async () => await fleet.openPull({ head: branch, by: 'alice' }));
  const body = () => fleet.commentsOf(number)[0]?.body ?? '';
  const url = { port: host.httpPort, hostname: `web-pr-${number}.bench.example` };
  const answers = watchAnswers([url], answerOf(version), signal).then(() => performance.now());
  const commentAtMs = await seen('the comment', () => body() !== '', { signal });
  const answersAtMs = await answers;
  const isSaid = () => fleet.deployments().some((it) => it.sha === head && it.state === 'success');
  const saidAtMs = await seen('"View deployment"', isSaid, { signal });
  const closedAtMs = performance.now();
  await fleet.close(number, 'alice');
  const goneAtMs = await seen('the proof that nothing is left', () => body().includes('nothing left'), { signal });
  return {
    commentMs: commentAtMs - sentAtMs,
    answersMs: answersAtMs - sentAtMs,
    saidMs: saidAtMs - sentAtMs,
    goneMs: goneAtMs - closedAtMs,
  };
}

/** Three at once, as far as the engine lets them, until the published port answers and all three run. */
async function dockerRun(context: BenchContext, version: string): Promise<number> {
  const port = await freePort();
  const docker = promisify(execFile);
  const names = SERVICES.map((it) => `slipway-bench-${process.pid}-${it}`);
  const run = async (name: string, publish: readonly string[]) =>
    await docker('docker', ['run', '--detach', '--name', name, '--env', `VERSION=${version}`, ...publish, WEB_IMAGE]);
  try {
    const begunAt = performance.now();
    const answers = watchAnswers([{ port, hostname: 'localhost' }], answerOf(version), context.signal);
    const running = names.map((it, index) => run(it, index === 0 ? ['--publish', `127.0.0.1:${port}:8080`] : []));
    await Promise.all([answers, ...running]);
    return performance.now() - begunAt;
  } finally {
    await docker('docker', ['rm', '--force', '--volumes', ...names]);
  }
}

function report(ours: readonly Opened[], theirs: readonly number[]): string {
  const pick = (of: keyof Opened) => ours.map((it) => it[of]);
  const answers = pick('answersMs');
  const times = table(
    ['three services', 'Slipway, opened → URL answers', '`docker run` ×3 → port answers', 'ratio'],
    [['web, api, worker', timeCell(answers), timeCell(theirs), ratioCell(summarize(answers), summarize(theirs))]],
  );
  const moments = table(
    ['comment with the plan', 'URL answers', '"View deployment" has it', 'closed → proven that nothing is left'],
    [[timeCell(pick('commentMs')), timeCell(answers), timeCell(pick('saidMs')), timeCell(pick('goneMs'))]],
  );
  return `Median (lowest–highest) of ${ours.length} rounds.\n\n${times}\n\nWhat else happens, from the first delivery on:\n\n${moments}`;
}
