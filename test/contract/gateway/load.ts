/** Clients of every kind at once, each counting what goes wrong by kind. */
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './lab.ts';

interface LoadResult {
  readonly requests: number;
  /** `<client> <error>` → how often. */
  readonly errors: Record<string, number>;
  /** Bodies seen, by first word: which version answered. */
  readonly answeredBy: Record<string, number>;
}

export interface Load {
  stop(): Promise<LoadResult>;
  count(): number;
}

/** Requests to one host until stopped: keep-alive, a connection each, POST bodies, slow answers. */
export function startLoad(port: number, host: string): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const errors: Record<string, number> = {};
  const answeredBy: Record<string, number> = {};
  let requests = 0;
  let running = true;
  const body = 'x'.repeat(20_000);
  const kinds = {
    'keep-alive': { pauseMs: 3, clients: 6, options: { agent } },
    'new connection': { pauseMs: 8, clients: 3, options: {} },
    POST: { pauseMs: 8, clients: 3, options: { agent, method: 'POST', path: '/echo', body } },
    slow: { pauseMs: 1, clients: 3, options: { path: '/slow?ms=250' } },
  } as const;
  const client = async (kind: keyof typeof kinds) => {
    const { options, pauseMs } = kinds[kind];
    while (running) {
      requests += 1;
      try {
        const answer = await ask(port, { host, ...options });
        const [by = ''] = answer.body.split(' ');
        if (answer.status !== 200) count(errors, `${kind} ${answer.status}`);
        else if (kind === 'POST' && !answer.body.endsWith(' 20000')) count(errors, `${kind} wrong body`);
        else count(answeredBy, by);
      } catch (error) {
        count(errors, `${kind} ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
      await sleep(pauseMs);
    }
  };
  const all = (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) =>
    Array.from({ length: kinds[kind].clients }, () => client(kind)),
  );
  return {
    count: () => requests,
    async stop() {
      running = false;
      await Promise.all(all);
      agent.destroy();
      return { requests, errors, answeredBy };
    },
  };
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
