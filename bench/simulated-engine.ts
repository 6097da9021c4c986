/**
 * A Docker engine whose containers are simulated: it answers what concerns containers itself and passes everything
 * else (networks, images, info) on to the real engine. The addresses of all its containers lead to one web server that
 * says yes, so that probes and gateway work as always.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ContainerConfig } from '../agent/docker/options.ts';
import { hasLabels, inspectAnswer, type Simulated, simulated, summaryAnswer } from './simulated-containers.ts';

export interface SimulatedEngine {
  /** Port that the processes in its containers listen on. */
  readonly servicePort: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const REAL_SOCKET = '/var/run/docker.sock';
const NOT_FOUND: Answer = { status: 404, body: { message: 'No such container' } };

/** @param socketPath where it listens */
export async function startSimulatedEngine(socketPath: string): Promise<SimulatedEngine> {
  const containers = new Map<string, Simulated>();
  const listeners = new Set<ServerResponse>();
  let made = 0;

  function tell(it: Simulated, action: string): void {
    const event = { Type: 'container', Action: action, Actor: { ID: it.id, Attributes: it.config.Labels } };
    for (const listener of listeners) listener.write(`${JSON.stringify(event)}\n`);
  }

  function create(name: string, config: ContainerConfig): Answer {
    if ([...containers.values()].some((it) => it.name === name))
      return { status: 409, body: { message: 'name taken' } };
    const it = simulated(++made, name, config);
    containers.set(it.id, it);
    tell(it, 'create');
    return { status: 201, body: { Id: it.id, Warnings: [] } };
  }

  function start(it: Simulated): Answer {
    if (it.state === 'running') return { status: 304 };
    [it.state, it.startedAt] = ['running', new Date().toISOString()];
    tell(it, 'start');
    return { status: 204 };
  }

  function stop(it: Simulated): Answer {
    if (it.state !== 'running') return { status: 304 };
    [it.state, it.finishedAt] = ['exited', new Date().toISOString()];
    tell(it, 'die');
    return { status: 204 };
  }

  function remove(it: Simulated): Answer {
    containers.delete(it.id);
    tell(it, 'destroy');
    return { status: 204 };
  }

  const verbs: Readonly<Record<string, (it: Simulated) => Answer>> = {
    'GET json': (it) => ({ status: 200, body: inspectAnswer(it) }),
    'POST start': start,
    'POST stop': stop,
    'POST kill': stop,
    'DELETE ': remove,
  };

  async function answer(call: IncomingMessage, url: URL): Promise<Answer> {
    const [, , target = '', verb = ''] = url.pathname.split('/');
    if (target === 'create') {
      return create(url.searchParams.get('name') ?? '', JSON.parse(await text(call)) as ContainerConfig);
    }
    if (target === 'json') {
      const { label = [] } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] };
      return { status: 200, body: [...containers.values()].filter((it) => hasLabels(it, label)).map(summaryAnswer) };
    }
    const it = containers.get(target) ?? [...containers.values()].find(({ name }) => name === target);
    const act = verbs[`${call.method} ${verb}`];
    if (it === undefined) return NOT_FOUND;
    return act === undefined ? { status: 501, body: { message: `not simulated: ${call.method} ${verb}` } } : act(it);
  }

  async function serve(call: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(call.url ?? '/', 'http://engine');
    if (url.pathname === '/events') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      listeners.add(response);
      response.once('close', () => listeners.delete(response));
      return;
    }
    if (!url.pathname.startsWith('/containers/')) return passOn(call, response);
    const { status, body } = await answer(call, url);
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(body === undefined ? '' : JSON.stringify(body));
  }

  const engine = createServer((call, response) => {
    serve(call, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ message: String(error) }));
    });
  });
  const services = createServer((_, response) => response.end('web simulated\n'));
  await listening(services, 0);
  await listening(engine, socketPath);
  return {
    servicePort: (services.address() as AddressInfo).port,
    async close() {
      await Promise.all([engine, services].map(closed));
    },
  };
}

function passOn(call: IncomingMessage, response: ServerResponse): void {
  const { url: path, method, headers } = call;
  const real = request({ socketPath: REAL_SOCKET, path, method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  real.on('error', (error) => response.destroy(error));
  call.pipe(real);
}

async function listening(server: Server, at: number | string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
