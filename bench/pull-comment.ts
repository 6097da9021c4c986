/**
 * A push to a pull request's branch → the plan of the new head in the comment: the built controller, webhooks, git over
 * HTTP and the API. The services are live; their containers are simulated, for a plan needs only what is recorded of them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type PullLab, seen, startPullLab } from './pull-lab.ts';
import { manifest } from './services.ts';
import { startSimulatedEngine } from './simulated-engine.ts';
import { quantile } from './stats.ts';
import { table, timeText } from './table.ts';

interface Measured {
  readonly services: number;
  readonly opened: number;
  readonly commentMs: readonly number[];
  readonly statusMs: readonly number[];
  readonly bytes: number;
  /** Requests of the API a push, and until the comment was there. */
  readonly calls: string;
}

const SIZES = [1, 20, 200] as const;
const PUSHES = 30;
/** What a push leaves to do shall not weigh on the next one. */
const REST_MS = 500;
const NAMESPACE = 'bench';
const PATH = `namespaces/${NAMESPACE}.json`;

export async function pullComment(context: BenchContext): Promise<string> {
  await ensureWebImage();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const engine = await startSimulatedEngine(socketPath);
  try {
    const text = (services: number, version: string) =>
      manifest(NAMESPACE, services, version, { port: engine.servicePort });
    const lab = await startPullLab({ files: { [PATH]: text(1, '0') }, env: { DOCKER_HOST: `unix://${socketPath}` } });
    try {
      const measured: Measured[] = [];
      for (const services of context.quick ? [1, 2] : SIZES) {
        await lab.deploy({ [PATH]: text(services, '1') });
        measured.push(await measure(context, lab, services, (version) => text(services, version)));
      }
      return report(measured);
    } finally {
      await lab.close();
    }
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  context: BenchContext,
  lab: PullLab,
  services: number,
  text: (version: string) => string,
): Promise<Measured> {
  const { fleet, github } = lab;
  const { signal } = context;
  const branch = `change-${services}`;
  const commit = async (version: string) => await fleet.commit(branch, { [PATH]: text(version) }, { by: 'alice' });
  const head = await commit('2');
  const opened = await lab.tell(async () => await fleet.openPull({ head: branch, by: 'alice' }));
  const number = opened.value;
  const comment = () => fleet.commentsOf(number)[0]?.body ?? '';
  const shows = (revision: string) => planned(comment()) && comment().includes(revision.slice(0, 10));
  const openedMs = (await seen('the comment', () => shows(head), { signal })) - opened.sentAtMs;
  context.say(`${services} services, opened: ${timeText(openedMs)}`);

  const commentMs: number[] = [];
  const statusMs: number[] = [];
  let calls: string[] = [];
  for (let push = 1; push <= (context.quick ? 2 : PUSHES); push++) {
    await sleep(REST_MS, undefined, { signal });
    const asked = github.requests.length;
    const { value: revision, sentAtMs } = await lab.tell(async () => await commit(`2.${push}`));
    commentMs.push((await seen('the changed comment', () => shows(revision), { signal })) - sentAtMs);
    calls = github.requests.slice(asked).map((it) => `${it.method} ${it.path} ${it.status}`);
    const hasStatus = () => fleet.statusesOf(revision).length > 0;
    statusMs.push((await seen('the status', hasStatus, { signal })) - sentAtMs);
  }
  const [p50, p95] = [quantile(commentMs, 0.5), quantile(commentMs, 0.95)];
  context.say(`${services} services, ${commentMs.length} pushes: p50 ${timeText(p50)}, p95 ${timeText(p95)}`);
  context.say(calls.join('\n'));
  return { services, opened: openedMs, commentMs, statusMs, bytes: Buffer.byteLength(comment()), calls: calls.join() };
}

/** It shows a plan, whose id stands in it. */
function planned(body: string): boolean {
  return /[Pp]lan.*[0-9a-f]{12}/.test(body);
}

function report(rows: readonly Measured[]): string {
  const times = table(
    ['services', 'opened → comment', 'push → comment p50', 'p95', 'slowest', 'push → status p50', 'p95', 'bytes'],
    rows.map((it) => [
      it.services.toLocaleString('en'),
      timeText(it.opened),
      `**${timeText(quantile(it.commentMs, 0.5))}**`,
      `**${timeText(quantile(it.commentMs, 0.95))}**`,
      timeText(quantile(it.commentMs, 1)),
      timeText(quantile(it.statusMs, 0.5)),
      timeText(quantile(it.statusMs, 0.95)),
      it.bytes.toLocaleString('en'),
    ]),
  );
  return times;
}
