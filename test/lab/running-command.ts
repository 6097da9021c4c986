/** A `slipway` command that goes on, such as `up` or `controller`, and what a person who watches it reads. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host, Ran } from './host.ts';

export interface RunningCommand {
  readonly pid: number;
  /** Everything printed so far. */
  text(): string;
  /** Waits until a line that was printed since the last `skip` matches, and gives it. */
  saw(wanted: string | RegExp, withinMs?: number): Promise<string>;
  /** `saw` looks only at what is printed from now on. */
  skip(): void;
  /** Asks it to end, as Ctrl-C does. */
  interrupt(): Promise<Ran>;
  /** SIGKILL. */
  kill(): Promise<Ran>;
}

const WITHIN_MS = 30_000;

export function startCommand(host: Host, args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const { child, ended } = host.start(args, env);
  let printed = '';
  let readFrom = 0;
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (it: Buffer) => (printed += it.toString()));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return await ended;
  };

  /** Whole lines only: half of one may be still to come. */
  function find(wanted: string | RegExp): string | undefined {
    const lines = printed.slice(readFrom, printed.lastIndexOf('\n') + 1).split('\n');
    return lines.find((it) => (typeof wanted === 'string' ? it.includes(wanted) : wanted.test(it)));
  }

  return {
    pid: child.pid ?? 0,
    text: () => printed,
    async saw(wanted, withinMs = WITHIN_MS) {
      const until = performance.now() + withinMs;
      for (;;) {
        const line = find(wanted);
        if (line !== undefined) return line;
        if (performance.now() > until || child.exitCode !== null || child.signalCode !== null)
          throw new Error(`\`slipway ${args.join(' ')}\` did not print ${String(wanted)}; it printed:\n${printed}`);
        await sleep(20);
      }
    },
    skip: () => {
      readFrom = printed.length;
    },
    interrupt: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
  };
}
