/**
 * Load on a gateway from a process of its own, so that neither the test nor what it starts holds the clients up:
 * keep-alive and new connections, POST bodies, slow requests, websockets; every error is counted by kind.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { LoadTarget } from './load-clients.ts';
import type { LoadCommand, LoadReply } from './load-process.ts';
import type { HostRecord, LoadRecord } from './load-record.ts';

export interface Load {
  /** Clients for one more host begin. */
  add(target: LoadTarget): Promise<void>;
  /** What was seen of these hosts (of all) since their last lap, by host; a new lap begins for them. */
  lap(hosts?: readonly string[]): Promise<LoadRecord>;
  /** Ends the clients, lets what is under way end, and gives the last lap. */
  stop(): Promise<LoadRecord>;
  [Symbol.asyncDispose](): Promise<void>;
}

type Wish<T = LoadCommand> = T extends { id: number } ? Omit<T, 'id'> : never;

/** Starts the process; nobody asks anything before `add`. */
export async function startLoad(port: number): Promise<Load> {
  const file = fileURLToPath(new URL('load-process.ts', import.meta.url));
  const child = fork(file, [], { execArgv: ['--import', import.meta.resolve('tsx')], serialization: 'advanced' });
  // Others may keep every core busy; who measures must not be the one that waits. Tests run as root.
  setPriority(child.pid ?? 0, constants.priority.PRIORITY_HIGH);
  const waiting = new Map<number, (record: LoadRecord) => void>();
  const ended = once(child, 'exit');
  let ids = 0;
  child.on('message', ({ id, record }: LoadReply) => {
    waiting.get(id)?.(record);
    waiting.delete(id);
  });

  async function ask(command: Wish): Promise<LoadRecord> {
    const id = ids++;
    const answer = new Promise<LoadRecord>((resolve) => waiting.set(id, resolve));
    child.send({ ...command, id } as LoadCommand);
    const died = ended.then((): never => {
      throw new Error('the process of the load ended');
    });
    died.catch(() => {});
    return await Promise.race([answer, died]);
  }

  return {
    async add(target) {
      await ask({ do: 'add', port, target });
    },
    lap: (hosts) => ask({ do: 'lap', hosts: hosts ?? null }),
    stop: () => ask({ do: 'stop' }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Laps of one host as one; what is true only at the end of a lap is taken from the last. */
export function sum(laps: readonly HostRecord[]): HostRecord {
  const last = laps.at(-1);
  if (last === undefined) throw new Error('no lap to sum up');
  return {
    requests: total(laps.map((it) => it.requests)),
    errors: merged(laps.map((it) => it.errors)),
    firstErrors: laps.flatMap((it) => it.firstErrors).slice(0, 12),
    answers: merged(laps.map((it) => it.answers)),
    unrouted: total(laps.map((it) => it.unrouted)),
    versions: last.versions,
    longestGapMs: Math.max(...laps.map((it) => it.longestGapMs)),
    sockets: { open: last.sockets.open, ended: laps.flatMap((it) => it.sockets.ended) },
  };
}

/** How many of all kinds. */
export function total(counts: readonly number[] | Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, it) => all + it, 0);
}

/** Counts of several by kind. */
function merged(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [kind, count] of counts.flatMap((it) => Object.entries(it))) all[kind] = (all[kind] ?? 0) + count;
  return all;
}
