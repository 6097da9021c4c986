/**
 * The controller's HTTP server, on loopback: hooks, health, metrics. Paths that are not in the table do not exist.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { type Answer, says, send } from './answer.ts';
import { createGithubHook, type GithubHook } from './github-hook.ts';
import { createPushHook } from './push-hook.ts';

export interface HttpLimits {
  readonly maxBodyBytes: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly maxConnections: number;
  /** The sender of a hook waits this long at most for it to be stored. */
  readonly storeTimeoutMs: number;
}

const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxBodyBytes: 2 ** 20,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 10_000,
  maxConnections: 256,
  storeTimeoutMs: 900,
};

export interface HttpServerArgs {
  /** 0: any free one. */
  readonly port: number;
  /** Secrets of hooks; none turns hooks off. */
  readonly secrets: readonly string[];
  readonly wake: () => void;
  /** Where hooks of pull requests go; null or left out: there are none. */
  readonly github?: GithubHook | null;
  /** Shown by /healthz: 200 when ok, 503 when not. */
  readonly health: () => { readonly ok: boolean } & Readonly<Record<string, unknown>>;
  /** Prometheus text for /metrics. */
  readonly metrics: () => string;
  readonly log: Logger;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** Serves until the signal aborts. Resolves once it listens. @throws SETUP_FAILED when the port is taken */
  listen(signal: AbortSignal): Promise<{ readonly port: number; readonly url: string; readonly closed: Promise<void> }>;
}

type Routes = Readonly<Record<string, Partial<Record<string, (request: IncomingMessage) => Promise<Answer> | Answer>>>>;

const HOST = '127.0.0.1';

/** A server that does not listen yet. @throws USAGE for an empty secret */
export function createHttpServer(args: HttpServerArgs): HttpServer {
  if (args.secrets.some((it) => it.trim() === '')) throw new SlipwayError('USAGE', 'A hook secret is empty.');
  const limits = { ...DEFAULT_HTTP_LIMITS, ...args.limits };
  const github = args.github ?? null;
  const routes: Routes = {
    '/hooks/push': { POST: createPushHook({ ...args, ...limits }) },
    ...(github === null
      ? {}
      : { '/hooks/github': { POST: createGithubHook({ ...args, ...limits, github, now: Date.now }) } }),
    '/healthz': { GET: () => healthAnswer(args.health()) },
    '/metrics': {
      GET: () => ({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: args.metrics() }),
    },
  };
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      // A little later than our own limit, which can answer; this one only cuts.
      requestTimeout: limits.bodyTimeoutMs + limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      keepAliveTimeout: 5_000,
    },
    (request, response) => {
      answerTo(routes, request).then(
        (answer) => send(response, answer),
        (error: unknown) => {
          args.log.error({ error, path: request.url }, 'an HTTP request failed');
          send(response, says(500, 'FAILED', 'The request failed; the log has the details.', { close: true }));
        },
      );
    },
  );
  server.maxConnections = limits.maxConnections;

  return {
    async listen(signal) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) => {
          const why = error.code === 'EADDRINUSE' ? 'another program has it' : (error.code ?? 'unknown reason');
          reject(new SlipwayError('SETUP_FAILED', `Port ${args.port} cannot be listened on: ${why}.`, {}, error));
        });
        server.listen(args.port, HOST, resolve);
      });
      const closed = new Promise<void>((resolve) => server.once('close', resolve));
      const close = () => {
        server.close();
        server.closeAllConnections();
      };
      if (signal.aborted) close();
      else signal.addEventListener('abort', close, { once: true });
      const { port } = server.address() as AddressInfo;
      return { port, url: `http://${HOST}:${port}`, closed };
    },
  };
}

async function answerTo(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) return says(404, 'NOT_FOUND', 'There is nothing at this path.', { close: true });
  const method = request.method ?? '';
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (handler !== undefined) return await handler(request);
  const allow = Object.keys(methods).join(', ');
  return says(405, 'WRONG_METHOD', `Use ${allow}.`, { close: true, headers: { allow } });
}

function healthAnswer(health: { readonly ok: boolean }): Answer {
  return { status: health.ok ? 200 : 503, type: 'application/json', body: `${JSON.stringify(health)}\n` };
}
