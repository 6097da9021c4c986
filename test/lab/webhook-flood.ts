/**
 * A flood of webhooks through everything that hears: HTTP server, store, queue. Whoever acts in the end is a desk that
 * plans a pull request when its head is another than the one it planned last, as the real one does.
 */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { systemClock } from '../../controller/execute/clock.ts';
import { createEars } from '../../controller/forge/ears.ts';
import { createHttpServer } from '../../controller/http/server.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { Store } from '../../store/port.ts';
import { createFakeForge } from '../fakes/forge.ts';
import { planFlood, type Told } from './flood-plan.ts';

export interface FloodArgs {
  readonly store: Store;
  readonly count: number;
  readonly pulls: number;
  /** Requests at a time. */
  readonly senders: number;
  /** What a pass of the desk takes. */
  readonly passMs: number;
  readonly signal: AbortSignal;
  /** Called now and then while it lasts. */
  readonly sample?: () => void;
}

export interface FloodResult {
  /** Answers by status and code, such as `202 STORED`. */
  readonly answers: Readonly<Record<string, number>>;
  /** From sending to the answer. */
  readonly answerMs: readonly number[];
  /** From sending the first delivery of a comment until somebody acts on it. */
  readonly commentMs: readonly number[];
  /** The same (pull request, head) planned more than once; two passes of one pull request at once. Both must be 0. */
  readonly plannedTwice: number;
  readonly overlaps: number;
  /** Pull requests whose last head was not planned, comments that nobody got, and some that nobody wrote. All must be 0. */
  readonly unplanned: number;
  readonly lostComments: number;
  readonly inventedComments: number;
  readonly repeatedComments: number;
  readonly passes: number;
  readonly plans: number;
  readonly looksAtGit: number;
  readonly pushes: number;
  /** Most calls that waited or were under way at one time. */
  readonly mostWaiting: number;
  readonly sendingMs: number;
  /** From the last answer until nothing is left to do. */
  readonly drainMs: number;
}

const SECRET = 'flood-secret';

/** Sends it all, waits until nothing is left to do, and tells what came of it. */
export async function runFlood(args: FloodArgs): Promise<FloodResult> {
  const forge = createFakeForge();
  const plan = planFlood({ forge, count: args.count, pulls: args.pulls, seed: 7 });
  const stop = new AbortController();
  const signal = AbortSignal.any([args.signal, stop.signal]);
  const desk = createDesk();
  const ears = createEars(
    { store: args.store, forge, handlers: desk.handlers, clock: systemClock, random: Math.random, log: silentLogger },
    signal,
  );
  const running = ears.run();
  const server = createHttpServer({
    port: 0,
    secrets: [SECRET],
    wake: () => undefined,
    github: ears.hook,
    health: () => ({ ok: true }),
    metrics: () => '',
    log: silentLogger,
  });
  const { port } = await server.listen(signal);
  const agent = new Agent({ keepAlive: true, maxSockets: args.senders });
  const answers: Record<string, number> = {};
  const answerMs: number[] = [];
  const firstSentAt = new Map<number, number>();
  let mostWaiting = 0;

  function createDesk() {
    const planned = new Map<number, string>();
    const plans = new Map<string, number>();
    const commentAt = new Map<number, number>();
    const busy = new Set<number>();
    const counts = { passes: 0, overlaps: 0, looksAtGit: 0, repeatedComments: 0 };
    const look = async (number: number) => {
      counts.passes += 1;
      if (busy.has(number)) counts.overlaps += 1;
      busy.add(number);
      const head = (await forge.getPull(number, signal))?.head.revision ?? '';
      const isNew = planned.get(number) !== head;
      await sleep(args.passMs);
      if (isNew) plans.set(`${number} ${head}`, (plans.get(`${number} ${head}`) ?? 0) + 1);
      planned.set(number, head);
      busy.delete(number);
    };
    return {
      planned,
      plans,
      commentAt,
      counts,
      handlers: {
        onPull: look,
        onComment: async (id: number) => {
          if (commentAt.has(id)) counts.repeatedComments += 1;
          else commentAt.set(id, performance.now());
        },
        onPush: async () => {
          counts.looksAtGit += 1;
          await sleep(args.passMs);
        },
        onAll: async () => {
          for (const number of forge.pulls.keys()) void ears.add({ kind: 'pull', number });
        },
      },
    };
  }

  async function send(told: Told, id: string, forged: boolean): Promise<void> {
    // A forger names a comment that nobody wrote.
    const body = JSON.stringify(forged ? { ...told.payload, comment: { id: 7, user: {} } } : told.payload);
    const signature = createHmac('sha256', forged ? 'guessed' : SECRET)
      .update(body)
      .digest('hex');
    const sentAt = performance.now();
    if (!forged && told.comment !== null && !firstSentAt.has(told.comment)) firstSentAt.set(told.comment, sentAt);
    const answer = await post({ port, agent, body, event: told.event, id, signature });
    answers[answer] = (answers[answer] ?? 0) + 1;
    answerMs.push(performance.now() - sentAt);
    mostWaiting = Math.max(mostWaiting, ears.size());
    if (answerMs.length % 500 === 0) args.sample?.();
  }

  try {
    const begunAt = performance.now();
    const limit = pLimit(args.senders);
    await Promise.all(
      plan.deliveries.map((it) =>
        limit(async () => {
          signal.throwIfAborted();
          plan.happen(it.after);
          await send(plan.told(it.index), it.id, it.forged);
        }),
      ),
    );
    const sentAt = performance.now();
    const open = [...forge.pulls.values()];
    const wanted = [...forge.comments.keys()];
    const unplanned = () => open.filter((it) => desk.planned.get(it.number) !== it.head.revision).length;
    const lost = () => wanted.filter((it) => !desk.commentAt.has(it)).length;
    for (let waited = 0; waited < 60_000 && (unplanned() + lost() > 0 || ears.size() > 0); waited += 10)
      await sleep(10);
    const drainMs = performance.now() - sentAt;
    args.sample?.();
    const pushes = plan.deliveries.filter((it) => it.id === `d-${it.index}` && plan.told(it.index).event === 'push');
    return {
      answers,
      answerMs,
      commentMs: [...desk.commentAt].map(([id, at]) => at - (firstSentAt.get(id) ?? at)),
      plannedTwice: [...desk.plans.values()].filter((it) => it > 1).length,
      unplanned: unplanned(),
      lostComments: lost(),
      inventedComments: [...desk.commentAt.keys()].filter((it) => !forge.comments.has(it)).length,
      plans: desk.plans.size,
      ...desk.counts,
      pushes: new Set(pushes.map((it) => it.index)).size,
      mostWaiting,
      sendingMs: sentAt - begunAt,
      drainMs,
    };
  } finally {
    agent.destroy();
    stop.abort();
    await running;
  }
}

interface Post {
  readonly port: number;
  readonly agent: Agent;
  readonly body: string;
  readonly event: string;
  readonly id: string;
  readonly signature: string;
}

/** Status and code of the answer. */
async function post({ port, agent, body, event, id, signature }: Post): Promise<string> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${signature}`,
  };
  return await new Promise((resolve, reject) => {
    const sending = request(
      { host: '127.0.0.1', port, path: '/hooks/github', method: 'POST', agent, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(`${response.statusCode} ${(JSON.parse(text) as { code: string }).code}`));
      },
    );
    sending.on('error', reject).end(body);
  });
}
