/** A gateway with a real HAProxy in a folder of its own, and small servers behind it. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGateway, type GatewayDeps, type HaproxyGateway } from '../../../agent/gateway/gateway.ts';
import type { GatewayTable } from '../../../agent/gateway/layout.ts';
import { gatewayPaths } from '../../../agent/gateway/paths.ts';
import { end, findProcesses } from '../../../agent/gateway/process.ts';
import { createRuntime, type Runtime } from '../../../agent/gateway/runtime.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { RoutingTable } from '../../../schemas/routing.ts';

export const clock = {
  now: () => Date.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  },
};

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '0.0.0.0', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

export interface Lab {
  readonly dir: string;
  readonly httpPort: number;
  readonly installation: string;
  readonly gateway: HaproxyGateway;
  readonly runtime: Runtime;
  readonly config: string;
  /** Another gateway object for the same folder, as after a restart of the agent. The former one stops supervising. */
  restart(): Promise<HaproxyGateway>;
  /** Ends what the former agent did in the background, as its death would. */
  abandon(): void;
  worker(): Promise<number>;
  master(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

let count = 0;

export async function lab(options: Partial<GatewayDeps> = {}): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-gw-'));
  const httpPort = options.httpPort ?? (await freePort());
  const installation = `${process.pid.toString(16)}${(count++).toString(16)}`.padStart(8, '0').slice(-8);
  const paths = gatewayPaths(dir, installation);
  const make = () => createGateway({ dir, installation, log: silentLogger, clock, ...options, httpPort });
  let alive = new AbortController();
  const gateway = make();
  await gateway.start(alive.signal).catch(async (error: unknown) => {
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const runtime = createRuntime({ path: paths.masterSocket, clock, runs: async () => true });
  return {
    dir,
    httpPort,
    installation,
    gateway,
    runtime,
    config: paths.config,
    abandon: () => alive.abort(),
    async restart() {
      alive.abort();
      alive = new AbortController();
      const next = make();
      await next.start(alive.signal);
      return next;
    },
    worker: async () => (await runtime.processes())?.workers[0] ?? 0,
    master: async () => (await runtime.processes())?.master ?? 0,
    async [Symbol.asyncDispose]() {
      alive.abort();
      await sleep(20);
      await end(await findProcesses(paths.config), 'SIGKILL', clock);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** An application that says its name; `/slow?ms=N` answers after N ms, `/echo` sends the body back. */
export interface App {
  readonly name: string;
  readonly port: number;
  readonly endpoint: { id: string; address: string; port: number };
  /** Requests that it has begun and not finished. */
  busy(): number;
  /** Gone at once, like a killed process: every connection is reset. */
  kill(): Promise<void>;
}

let ids = 0;

export async function app(name: string): Promise<App> {
  const sockets = new Set<Socket>();
  let busy = 0;
  const server: Server = createServer((incoming, answer) => {
    busy += 1;
    answer.on('close', () => {
      busy -= 1;
    });
    void answerOf(name, incoming).then((text) => answer.end(text));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    endpoint: { id: (ids++).toString(16).padStart(12, 'c'), address: '127.0.0.1', port },
    busy: () => busy,
    async kill() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
}

async function answerOf(name: string, incoming: IncomingMessage): Promise<string> {
  const url = new URL(incoming.url ?? '/', 'http://app');
  let body = '';
  for await (const part of incoming) body += String(part);
  if (url.pathname.endsWith('/slow')) await sleep(Number(url.searchParams.get('ms')));
  if (url.pathname.endsWith('/echo')) return `${name} ${body.length}`;
  if (url.pathname.endsWith('/headers')) return JSON.stringify(incoming.headers);
  return name;
}

/** A table with one http route a row and the given backends. */
export function table(rows: Record<string, readonly App[]>, more: Partial<GatewayTable> = {}): RoutingTable {
  const backends = Object.entries(rows).map(([at, apps]) => ({
    key: keyOf(at),
    endpoints: apps.map((it) => it.endpoint),
  }));
  const http = Object.keys(rows).map((at) => {
    const slash = at.indexOf('/');
    return {
      host: slash < 0 ? at : at.slice(0, slash),
      pathPrefix: slash < 0 ? '/' : at.slice(slash),
      backend: keyOf(at),
    };
  });
  return {
    http: [...http, ...(more.http ?? [])],
    tcp: more.tcp ?? [],
    backends: [...backends, ...(more.backends ?? [])],
    names: [],
    members: [],
  };
}

/** Backend key that `table` gives to a route. */
function keyOf(at: string): string {
  return `test/${at.replaceAll(/[^a-z0-9]/g, '-')}/80`;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Ask {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent | false;
}

/** One request to the gateway; rejects when the connection fails. */
export function ask(port: number, options: Ask = {}): Promise<Answer> {
  const { host = 'a.test', path = '/', method = 'GET', headers = {}, body, agent = false } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', path, method, agent, headers: { host, ...headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers }));
        answer.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Until the condition holds; fails after the time. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean, timeoutMs = 5_000) {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const holds = await Promise.resolve(condition()).catch?.(() => false);
    if (holds === true) return;
    if (Date.now() > until) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

/** Processes whose command line holds the text. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
