/** A process as a service manager runs it: started again whenever it dies, a moment later. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Supervised {
  /** Times that it was started. */
  starts(): number;
  /** SIGKILL unless another is named; it comes back. false: it does not run just now. */
  kill(signal?: NodeJS.Signals): boolean;
  /** SIGTERM, for good; resolves when it has ended. */
  stop(): Promise<void>;
}

export interface SupervisedArgs {
  readonly argv: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Gets its output. */
  readonly logFile: string;
  readonly restartAfterMs: () => number;
}

const STOP_MS = 30_000;

export function startSupervised({ argv, env, logFile, restartAfterMs }: SupervisedArgs): Supervised {
  const [file, ...args] = argv;
  const over = new AbortController();
  let child: ChildProcess | null = null;
  let starts = 0;

  async function runOnce(): Promise<void> {
    const out = openSync(logFile, 'a');
    const now = spawn(file, args, { env, stdio: ['ignore', out, out] });
    closeSync(out);
    child = now;
    starts += 1;
    await new Promise((resolve) => {
      now.once('exit', resolve);
      now.once('error', resolve);
    });
    child = null;
  }
  const loop = (async () => {
    while (!over.signal.aborted) {
      await runOnce();
      await sleep(restartAfterMs(), undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();

  return {
    starts: () => starts,
    kill: (signal = 'SIGKILL') => child?.kill(signal) ?? false,
    async stop() {
      over.abort();
      child?.kill('SIGTERM');
      const patience = setTimeout(() => child?.kill('SIGKILL'), STOP_MS);
      await loop;
      clearTimeout(patience);
    },
  };
}
