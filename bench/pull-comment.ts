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
  readonly openedMs: readonly number[];
  readonly commentMs: readonly number[];
  readonly statusMs: readonly number[];
  readonly bytes: number;
  /** Requests until the comment was there, of the last push. */
  readonly requests: number;
}

const SIZES = [1, 20, 200] as const;
const OPENINGS = 5;
const PUSHES = 40;
/** The row of the comment with the plan's id. */
const PLANNED = /\*\*Plan\*\* \| `[0-9a-f]{12}`/;
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
  const rest = async () => await sleep(REST_MS, undefined, { signal });
  const commit = async (branch: string, version: string) =>
    await fleet.commit(branch, { [PATH]: text(version) }, { by: 'alice' });
  const comment = (number: number) => fleet.commentsOf(number)[0]?.body ?? '';
  const shows = (number: number, revision: string) => {
    const body = comment(number);
    return PLANNED.test(body) && body.includes(revision.slice(0, 8));
  };
  const openedMs: number[] = [];
  let branch = '';
  let number = 0;
  for (let opening = 1; opening <= (context.quick ? 1 : OPENINGS); opening++) {
    await rest();
    // Many that are open would be looked at together; that is another question.
    if (number > 0) await fleet.close(number, 'alice');
    await rest();
    branch = `change-${services}-${opening}`;
    const head = await commit(branch, `2.${opening}`);
    const opened = await lab.tell(async () => await fleet.openPull({ head: branch, by: 'alice' }));
    number = opened.value;
    openedMs.push((await seen('the comment', () => shows(number, head), { signal })) - opened.sentAtMs);
  }
  const commentMs: number[] = [];
  const statusMs: number[] = [];
  let requests = 0;
  for (let push = 1; push <= (context.quick ? 2 : PUSHES); push++) {
    await rest();
    const asked = github.requests.length;
    const { value: revision, sentAtMs } = await lab.tell(async () => await commit(branch, `3.${push}`));
    commentMs.push((await seen('the changed comment', () => shows(number, revision), { signal })) - sentAtMs);
    requests = github.requests.length - asked;
    const hasStatus = () => fleet.statusesOf(revision).length > 0;
    statusMs.push((await seen('the status', hasStatus, { signal })) - sentAtMs);
  }
  const [p50, p95] = [quantile(commentMs, 0.5), quantile(commentMs, 0.95)];
  context.say(`${services} services: p50 ${timeText(p50)}, p95 ${timeText(p95)}, ${requests} requests`);
  return { services, openedMs, commentMs, statusMs, bytes: Buffer.byteLength(comment(number)), requests };
}

function report(rows: readonly Measured[]): string {
  const times = table(
    ['services', 'opened → comment p50', 'push → comment p50', 'p95', 'slowest', 'push → status p50', 'p95', 'bytes'],
    rows.map((it) => [
      it.services.toLocaleString('en'),
      timeText(quantile(it.openedMs, 0.5)),
      `**${timeText(quantile(it.commentMs, 0.5))}**`,
      `**${timeText(quantile(it.commentMs, 0.95))}**`,
      timeText(quantile(it.commentMs, 1)),
      timeText(quantile(it.statusMs, 0.5)),
      timeText(quantile(it.statusMs, 0.95)),
      it.bytes.toLocaleString('en'),
    ]),
  );
  const pushes = `${rows[0]?.commentMs.length ?? 0} pushes and ${rows[0]?.openedMs.length ?? 0} pull requests each; *bytes* of the comment.`;
  return `${pushes}\n\n${times}`;
}
