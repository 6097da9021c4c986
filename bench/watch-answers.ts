/** Asks services over HTTP until all of them answer what is wanted, and writes down how the first one answered meanwhile. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from './services.ts';

export interface Served {
  /** When the last of the services first answered what was wanted, in milliseconds of the epoch. */
  readonly atMs: number;
  /** Of the first service, until it answered what was wanted: requests, those without an answer, the longest time without one. */
  readonly asked: number;
  readonly failed: number;
  readonly longestGapMs: number;
}

const PAUSE_MS = 5;
/** A container that is going away may take a connection and never answer; that must not hold up the next question. */
const ANSWER_WITHIN_MS = 250;
const GIVE_UP_MS = 180_000;

/**
 * Starts at once. One question is under way at a time, so that asking costs little: the first service until it answers
 * what is wanted, then all others at once, then the first of the rest, and so on.
 */
export async function watchAnswers(
  endpoints: readonly Endpoint[],
  wanted: string,
  signal: AbortSignal,
): Promise<Served> {
  const begunAt = Date.now();
  const first = { asked: 0, failed: 0, longestGapMs: 0, lastAnswerMs: begunAt };
  let pending = endpoints;
  while (pending.length > 0) {
    const [asked, ...others] = pending;
    if (asked === undefined) break;
    const answer = await ask(asked);
    if (asked === endpoints[0]) note(first, answer);
    if (answer === wanted) {
      const answers = await Promise.all(others.map(ask));
      pending = others.filter((_, index) => answers[index] !== wanted);
      continue;
    }
    if (Date.now() - begunAt > GIVE_UP_MS) throw new Error(`${asked.hostname} answers ${answer}, not ${wanted}`);
    await sleep(PAUSE_MS, undefined, { signal });
  }
  const { lastAnswerMs: _, ...counted } = first;
  return { atMs: Date.now(), ...counted };
}

function note(
  first: { asked: number; failed: number; longestGapMs: number; lastAnswerMs: number },
  answer: string | null,
) {
  first.asked += 1;
  const now = Date.now();
  if (answer === null) {
    first.failed += 1;
    return;
  }
  if (first.failed > 0) first.longestGapMs = Math.max(first.longestGapMs, now - first.lastAnswerMs);
  first.lastAnswerMs = now;
}

/** null: refused, broken off, too late, or another status than 200. */
async function ask({ port, hostname }: Endpoint): Promise<string | null> {
  return await new Promise((resolve) => {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const call = request({ host: '127.0.0.1', port, headers: { host: hostname }, agent: false, signal }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? text.trim() : null));
      response.on('error', () => resolve(null));
    });
    call.on('error', () => resolve(null));
    call.end();
  });
}
