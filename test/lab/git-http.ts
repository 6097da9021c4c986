/** A real git server over HTTP (`git http-backend`) with faults that a test switches on and off. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';

/**
 * `error` answers 500; `rubbish` says it is git and sends noise; `html` a login page; `silence` never answers; `drip`
 * sends headers and then nothing; `cut` breaks packs off in the middle; `truncate` ends them early as if they were
 * whole; `echo` answers 500 and repeats the request's headers; `elsewhere` redirects to another host.
 */
export type GitFault =
  | 'none'
  | 'error'
  | 'rubbish'
  | 'html'
  | 'silence'
  | 'drip'
  | 'cut'
  | 'truncate'
  | 'echo'
  | 'elsewhere';

export interface GitHttpServer {
  /** Address of the repository `name` below the root folder. */
  url(name: string): string;
  /** Method and path of every request so far. */
  readonly requests: string[];
  fault: GitFault;
  /** Where `elsewhere` redirects to. */
  redirectTo: string;
  close(): Promise<void>;
}

/** Serves every repository below `root`, below `/moved/` by redirects; with a token, requests without it get 401. */
export async function serveGit(args: { root: string; token?: string }): Promise<GitHttpServer> {
  const server = createServer((request, response) => {
    lab.requests.push(`${request.method} ${request.url}`);
    if (args.token !== undefined && !hasToken(request, args.token)) return void response.writeHead(401).end();
    const moved = request.url?.startsWith('/moved/') === true ? request.url.slice('/moved'.length) : null;
    if (moved !== null) return void response.writeHead(301, { location: moved }).end();
    if (BEFORE[lab.fault]?.(request, response, lab) === true) return;
    backend(args.root, request, response, lab.fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const lab: GitHttpServer = {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    requests: [],
    fault: 'none',
    redirectTo: '',
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return lab;
}

type Handler = (request: IncomingMessage, response: ServerResponse, lab: GitHttpServer) => boolean;

/** Faults that answer instead of git. */
const BEFORE: Partial<Record<GitFault, Handler>> = {
  error: (_, response) => ended(response.writeHead(500, { 'content-type': 'text/plain' }), 'boom'),
  echo: (request, response) => ended(response.writeHead(500), JSON.stringify(request.headers)),
  rubbish: (_, response) =>
    ended(response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }), noise(4096)),
  html: (_, response) => ended(response.writeHead(200, { 'content-type': 'text/html' }), '<h1>Sign in</h1>'),
  silence: () => true,
  drip: (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).write('001e');
    return true;
  },
  elsewhere: (request, response, lab) =>
    ended(response.writeHead(302, { location: `${lab.redirectTo}${request.url}` }), ''),
};

function ended(response: ServerResponse, body: string | Buffer): true {
  response.end(body);
  return true;
}

function backend(root: string, request: IncomingMessage, response: ServerResponse, fault: GitFault): void {
  const url = new URL(request.url ?? '/', 'http://lab');
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: url.pathname,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: request.headers['content-length'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  };
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => answer(response, Buffer.concat(chunks), request.method === 'POST' ? fault : 'none'));
}

function answer(response: ServerResponse, output: Buffer, fault: GitFault): void {
  const end = output.indexOf('\r\n\r\n');
  const headers = new Map<string, string>();
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const status = Number.parseInt(headers.get('status') ?? '200', 10);
  headers.delete('status');
  const body = output.subarray(end + 4);
  response.writeHead(status, Object.fromEntries(headers));
  if (fault === 'cut') response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  else response.end(fault === 'truncate' ? body.subarray(0, body.length >> 1) : body);
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const [, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  return Buffer.from(encoded, 'base64').toString().endsWith(`:${token}`);
}

function noise(sizeBytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 167 + 13) % 251));
}
