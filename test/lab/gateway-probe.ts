/** What clients of one hostname are answered from one moment to another, whatever else happens meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startProber } from './probe.ts';

export interface GatewayProbe {
  /** The different answers since the last call; what failed is among them. Some are waited for that begin only now. */
  take(): Promise<string[]>;
  /** Waits until this is the only answer; what came before it does not matter. */
  settled(answer: string): Promise<void>;
  stop(): Promise<void>;
}

const AT_LEAST = 8;
const SETTLED_WITHIN_MS = 30_000;

/** Begins to ask now, one question after another. */
export function startProbe(args: { readonly port: number; readonly hostname: string }): GatewayProbe {
  const prober = startProber({ port: args.port, host: args.hostname });
  let taken = 0;

  async function take(): Promise<string[]> {
    const enough = prober.answers.length + 1 + AT_LEAST;
    while (prober.answers.length < enough) await sleep(20);
    const fresh = prober.answers.slice(taken);
    taken = prober.answers.length;
    return [...new Set(fresh.map((it) => it.body ?? `failed: ${it.why}`))].toSorted();
  }

  return {
    take,
    async settled(answer) {
      const until = performance.now() + SETTLED_WITHIN_MS;
      for (;;) {
        const answers = await take();
        if (answers.length === 1 && answers[0] === answer) return;
        if (performance.now() > until) throw new Error(`wanted only "${answer}", got: ${answers.join(', ')}`);
      }
    },
    stop: () => prober.stop(),
  };
}
