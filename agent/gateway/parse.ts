/** What HAProxy's command line answers, as values. Pure. Source: HAProxy 2.6 management guide, sections 9.3 and 9.4. */
import { HANDOVER_SECTION } from './layout.ts';

export interface Processes {
  readonly master: number;
  readonly reloads: number;
  /** Reloads that failed since the last good one. */
  readonly failedReloads: number;
  readonly workers: readonly number[];
  /** Replaced by a reload, still busy. */
  readonly oldWorkers: readonly number[];
}

/** `show proc` of the master; null: not such an answer. */
export function parseProcesses(text: string): Processes | null {
  const master = /^(\d+)\s+master\s+(\d+) \[failed: (\d+)\]/m.exec(text);
  if (master === null) return null;
  const pids = (part: string | undefined) =>
    [...(part ?? '').matchAll(/^(\d+)\s+worker\s/gm)].map((it) => Number(it[1]));
  const [current, old] = text.split('# old workers');
  return {
    master: Number(master[1]),
    reloads: Number(master[2]),
    failedReloads: Number(master[3]),
    workers: pids(current),
    oldWorkers: pids(old),
  };
}

export interface WorkerInfo {
  readonly pid: number;
  /** Shape of the configuration it runs (render.ts); empty: not one of ours. */
  readonly shape: string;
  /** Takes no new connections any more. */
  readonly stopping: boolean;
}

/** `show info` of a worker. */
export function parseInfo(text: string): WorkerInfo | null {
  const pid = /^Pid: (\d+)$/m.exec(text)?.[1];
  if (pid === undefined) return null;
  return {
    pid: Number(pid),
    shape: /^description: .* shape ([0-9a-f]+)$/m.exec(text)?.[1] ?? '',
    stopping: /^Stopping: 1$/m.test(text),
  };
}

export interface Server {
  readonly section: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Takes new requests if `admin` lets it: its checks do not say that it is down. */
  readonly up: boolean;
  readonly admin: 'ready' | 'drain' | 'maint';
}

const MAINTENANCE = 0x01 | 0x02 | 0x04 | 0x20;
const DRAIN = 0x08 | 0x10;

/** `show servers state`: the servers of endpoints. */
export function parseServers(text: string): Server[] {
  const lines = text.split('\n');
  const header = lines.find((it) => it.startsWith('# be_id'));
  const column = columns(header?.slice(2).split(' ') ?? []);
  return lines
    .filter((it) => /^\d+ \S+ \d+ /.test(it))
    .map((line) => {
      const at = column(line.split(' '));
      const admin = Number(at('srv_admin_state'));
      return {
        section: at('be_name'),
        id: at('srv_name'),
        address: at('srv_addr'),
        port: Number(at('srv_port')),
        up: Number(at('srv_op_state')) >= 2,
        admin: (admin & MAINTENANCE) !== 0 ? 'maint' : (admin & DRAIN) !== 0 ? 'drain' : 'ready',
      } satisfies Server;
    })
    .filter((it) => it.section !== HANDOVER_SECTION);
}

/** `show stat <section> 4 -1`: server → sessions it has now. */
export function parseSessionCounts(text: string): Map<string, number> {
  const [header, ...rows] = text.split('\n').filter((it) => it.trim() !== '');
  const column = columns(header?.replace(/^# /, '').split(',') ?? []);
  return new Map(
    rows.map((row) => {
      const at = column(row.split(','));
      return [at('svname'), Number(at('scur'))];
    }),
  );
}

/** `show stat -1 1 -1`: names of the frontends. */
export function parseFrontends(text: string): string[] {
  return text
    .split('\n')
    .map((it) => it.split(','))
    .filter((it) => it[1] === 'FRONTEND')
    .map((it) => it[0] ?? '');
}

/** `show map <file>`: what is looked up → section. */
export function parseMap(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^0x[0-9a-f]+ (\S+) (\S+)$/gm)].map((it) => [it[1] ?? '', it[2] ?? '']));
}

/** `prepare map <file>`: the number of the new version. */
export function parseMapVersion(text: string): number | null {
  const version = /New version created: (\d+)/.exec(text)?.[1];
  return version === undefined ? null : Number(version);
}

/** `show sess`: references of the sessions that a server has. */
export function parseSessions(text: string, section: string, id: string): string[] {
  return text
    .split('\n')
    .filter((it) => it.includes(` be=${section} srv=${id} `))
    .map((it) => /^(0x[0-9a-f]+):/.exec(it)?.[1])
    .filter((it) => it !== undefined);
}

function columns(names: readonly string[]): (values: readonly string[]) => (name: string) => string {
  const index = new Map(names.map((name, at) => [name, at]));
  return (values) => (name) => values[index.get(name) ?? -1] ?? '';
}
