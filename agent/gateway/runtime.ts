/**
 * Talks to a running HAProxy through its master's socket. That one reaches every worker by process id, also those that
 * a reload replaced; the workers' own socket changes hands at a reload, and who answers there is a guess.
 */
import { connect } from 'node:net';
import { SlipwayError } from '../../schemas/errors.ts';
import type { GatewayClock } from './clock.ts';
import {
  type Processes,
  parseInfo,
  parseMap,
  parseMapVersion,
  parseProcesses,
  parseServers,
  parseSessionCounts,
  parseSessions,
  type Server,
  type WorkerInfo,
} from './parse.ts';

export interface Runtime {
  /** null: no master answers (there is none, or it is starting a new worker). */
  processes(): Promise<Processes | null>;
  /** null: no such worker. */
  info(worker: number): Promise<WorkerInfo | null>;
  servers(worker: number): Promise<Server[]>;
  /** Names of the frontends of a worker. */
  frontends(worker: number): Promise<string>;
  routes(worker: number, map: string): Promise<Map<string, string>>;
  /** All entries are replaced in one step. */
  replaceRoutes(worker: number, map: string, entries: readonly (readonly [string, string])[]): Promise<void>;
  /** Carries the command lines out in order; gives what HAProxy said, which is mostly nothing. */
  run(worker: number, lines: readonly string[]): Promise<string>;
  /** Server → sessions, of one section. */
  sessionCounts(worker: number, section: string): Promise<Map<string, number>>;
  /** References of the sessions of a server. */
  sessions(worker: number, section: string, id: string): Promise<string[]>;
  /** Asks the master to start a worker with the configuration on disk. Says nothing of the outcome. */
  reload(): Promise<void>;
}

const ANSWER_MS = 5_000;
/** A master that starts a new worker refuses connections for that long at most. */
const AWAY_MS = 5_000;
/** HAProxy's command line is read into one buffer of 16 KiB. */
const LINE_BYTES = 6_000;

export interface RuntimeDeps {
  readonly path: string;
  readonly clock: GatewayClock;
  /** Whether any process is there that could still answer. */
  readonly runs: () => Promise<boolean>;
}

/** A client of the socket at `path`. @throws GATEWAY_FAILED from every method but `processes` when nobody answers */
export function createRuntime({ path, clock, runs }: RuntimeDeps): Runtime {
  const ask = async (command: string): Promise<string> => {
    const until = clock.now() + AWAY_MS;
    for (;;) {
      try {
        return await askOnce(path, command);
      } catch (error) {
        if (clock.now() >= until || !(await runs())) {
          throw new SlipwayError('GATEWAY_FAILED', 'HAProxy does not answer on its socket', { path }, error);
        }
        await clock.sleep(20);
      }
    }
  };
  /** null: there is no such worker. An answer counts only if it is whole: a master that restarts just hangs up. */
  const on = async (worker: number, commands: string): Promise<string | null> => {
    const until = clock.now() + AWAY_MS;
    for (;;) {
      const answer = await ask(`${commands};@!${worker} show version`);
      if (answer.includes("Can't find the target PID")) return null;
      const end = /^\d+\.\d+\S*\s*$/m.exec(answer);
      if (end !== null) return answer.slice(0, end.index);
      if (clock.now() >= until) throw new SlipwayError('GATEWAY_FAILED', 'HAProxy answers only in part', { path });
      await clock.sleep(20);
    }
  };
  const read = async (worker: number, command: string) => (await on(worker, `@!${worker} ${command}`)) ?? '';
  return {
    processes: () => askOnce(path, 'show proc').then(parseProcesses, () => null),
    info: async (worker) => parseInfo(await read(worker, 'show info')),
    servers: async (worker) => parseServers(await read(worker, 'show servers state')),
    frontends: (worker) => read(worker, 'show stat -1 1 -1'),
    routes: async (worker, map) => parseMap(await read(worker, `show map ${map}`)),
    async replaceRoutes(worker, map, entries) {
      const version = parseMapVersion(await read(worker, `prepare map ${map}`));
      if (version === null)
        throw new SlipwayError('GATEWAY_FAILED', 'HAProxy does not know the map of routes', { map });
      for (const chunk of chunks(
        entries.map(([match, section]) => `${match} ${section}`),
        LINE_BYTES,
      )) {
        await ask(`@!${worker} add map @${version} ${map} <<\n${chunk.join('\n')}\n`);
      }
      await read(worker, `commit map @${version} ${map}`);
    },
    async run(worker, lines) {
      const prefixed = lines.map((it) => `@!${worker} ${it}`);
      const said: string[] = [];
      for (const chunk of chunks(prefixed, LINE_BYTES)) said.push((await on(worker, chunk.join(';'))) ?? '');
      return said.join('\n').replaceAll(/^(?:New server registered\.)?\n/gm, '');
    },
    sessionCounts: async (worker, section) => parseSessionCounts(await read(worker, `show stat ${section} 4 -1`)),
    sessions: async (worker, section, id) => parseSessions(await read(worker, 'show sess'), section, id),
    reload: async () => {
      await ask('reload');
    },
  };
}

/** The client half-closes after its command: the master's socket never ends an answer otherwise. */
function askOnce(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const parts: Buffer[] = [];
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => {
      socket.destroy();
      resolve(Buffer.concat(parts).toString('utf8'));
    });
    socket.on('error', reject);
    socket.end(`${command}\n`);
  });
}

function chunks(lines: readonly string[], maxBytes: number): string[][] {
  const found: string[][] = [];
  let sizeBytes = Infinity;
  for (const line of lines) {
    if (sizeBytes + line.length + 1 > maxBytes) {
      found.push([]);
      sizeBytes = 0;
    }
    found.at(-1)?.push(line);
    sizeBytes += line.length + 1;
  }
  return found;
}
