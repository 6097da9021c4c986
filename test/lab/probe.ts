/** Asks a URL again and again and writes down every answer: what a user of the gateway sees. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  readonly atMs: number;
  /** The body, trimmed; null: refused, timed out, or another status than 200. */
  readonly body: string | null;
  readonly why: string;
}

export interface Prober {
  readonly answers: Answer[];
  /** Longest time without a good answer, in milliseconds. */
  longestGapMs(): number;
  stop(): Promise<void>;
}

/** Probes `http://127.0.0.1:port/` with the host header until stopped. */
export function startProber(args: { port: number; host?: string; everyMs?: number }): Prober {
  const { port, host = 'localhost', everyMs = 25 } = args;
  const answers: Answer[] = [];
  let running = true;
  const loop = (async () => {
    while (running) {
      answers.push(await ask(port, host));
      await sleep(everyMs);
    }
  })();
  return {
    answers,
    longestGapMs() {
      let lastGood = answers[0]?.atMs ?? 0;
      let longest = 0;
      for (const it of answers) {
        if (it.body === null) continue;
        longest = Math.max(longest, it.atMs - lastGood);
        lastGood = it.atMs;
      }
      return Math.max(longest, (answers.at(-1)?.atMs ?? lastGood) - lastGood);
    },
    async stop() {
      running = false;
      await loop;
    },
  };
}

/** One request. */
export async function ask(port: number, host = 'localhost', path = '/'): Promise<Answer> {
  return await new Promise((resolve) => {
    const done = (body: string | null, why: string) => resolve({ atMs: performance.now(), body, why });
    const call = request(
      { host: '127.0.0.1', port, path, headers: { host }, timeout: 5_000, agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          done(response.statusCode === 200 ? text.trim() : null, `status ${response.statusCode}`),
        );
        response.on('error', (error) => done(null, error.message));
      },
    );
    call.on('error', (error) => done(null, error.message));
    call.on('timeout', () => call.destroy(new Error('no answer in 5 s')));
    call.end();
  });
}
