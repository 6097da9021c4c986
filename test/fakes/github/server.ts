/** The HTTP side of the GitHub of our tests: every request and every answer is held to GitHub's own description. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pLimit from 'p-limit';
import { type Answer, complete, isUnchanged } from './answer.ts';
import type { Match } from './contract.ts';
import type { Faults } from './faults.ts';
import type { Limits } from './limits.ts';
import { APPS } from './operations/apps.ts';
import type { Handler } from './operations/call.ts';
import { COMMENTS } from './operations/comments.ts';
import { DEPLOYMENTS } from './operations/deployments.ts';
import { PULLS } from './operations/pulls.ts';
import { REPOS } from './operations/repos.ts';
import { STATUSES } from './operations/statuses.ts';
import { demand } from './rights.ts';
import type { Site } from './site.ts';
import { gitRequestOf, serveGit } from './smart-http.ts';
import { Refusal } from './state.ts';
import { actorOf, type Credential, type Tokens } from './tokens.ts';
import { createViews } from './views.ts';

/** A request as it was answered. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** Operation of the API, `git`, or null for what nobody knows. */
  readonly operation: string | null;
  /** 0: it got no answer. */
  status: number;
}

export interface ServerParts {
  readonly tokens: Tokens;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly requests: Seen[];
  readonly violations: string[];
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  ...APPS,
  ...COMMENTS,
  ...DEPLOYMENTS,
  ...PULLS,
  ...REPOS,
  ...STATUSES,
};

/** Operations that something answers, for the test that nothing of the description is forgotten. */
export const ANSWERED = [...Object.keys(HANDLERS), 'rate-limit/get'];

const LARGEST_PAGE = 100;

/** Listens at once; `siteOf` gets the address, because links in the state need it. */
export async function listen(siteOf: (origin: string) => Site, parts: ServerParts) {
  const { tokens, limits, faults, requests, violations } = parts;
  const one = pLimit(1);
  const alone = <T>(work: () => Promise<T>) => one(work);
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      violations.push(`the server itself failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (!response.headersSent) response.writeHead(500).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const site = siteOf(origin);
  return { origin, site, alone, close };

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const method = request.method ?? 'GET';
    const asked = gitRequestOf(url);
    if (asked === null) return await serveApi(request, response, url, method);
    const seen = see(method, url.pathname, 'git');
    if ((await faults.strike('before', 'git', asked.writes, response)) === 'over') return;
    const { status, headers, body } = await serveGit({ site, tokens, alone }, asked, request);
    if ((await faults.strike('after', 'git', asked.writes, response)) === 'over') return;
    seen.status = status;
    response.writeHead(status, headers).end(body);
  }

  function see(method: string, path: string, operation: string | null): Seen {
    const seen = { method, path, operation, status: 0 };
    requests.push(seen);
    return seen;
  }

  async function serveApi(request: IncomingMessage, response: ServerResponse, url: URL, method: string): Promise<void> {
    const prefix = url.pathname.startsWith('/api/v3/') ? '/api/v3' : '';
    const match = site.contract.match(method, url.pathname.slice(prefix.length));
    const seen = see(method, url.pathname + url.search, match?.id ?? null);
    const raw = await textOf(request);
    if (match === null) {
      violations.push(`${method} ${url.pathname}: nothing of the description; add it to deploy/openapi-slice.mjs`);
      return reply(response, seen, 404, {}, '{"message":"Not Found"}');
    }
    const writes = method !== 'GET';
    if ((await faults.strike('before', match.id, writes, response)) === 'over') return;
    const { status, headers, text } = await answerTo(match, request, url, raw, prefix);
    if ((await faults.strike('after', match.id, writes, response)) === 'over') return;
    reply(response, seen, status, headers, text);
  }

  async function answerTo(match: Match, request: IncomingMessage, url: URL, raw: string, prefix: string) {
    const headers: Record<string, string> = {};
    const finish = (answer: Answer) => {
      const { wire, violations: wrong } = complete(site.contract, match, url, answer);
      violations.push(...wrong.map((it) => `${match.id}: our own ${it}`));
      return { ...wire, headers: { ...wire.headers, ...headers } };
    };
    try {
      const credential = tokens.of(request.headers.authorization);
      const quota = match.id === 'rate-limit/get' ? null : limits.take(credential);
      Object.assign(headers, quota?.headers, scopesOf(credential));
      if (quota?.allowed === false) throw new Refusal(limits.exhaustedStatus, 'API rate limit exceeded for this user.');
      demandNoSecondary(match, headers);
      const body = bodyOf(match, url, raw);
      const answer = await alone(() => carryOut(match, credential, url, body, prefix));
      const done = finish(answer);
      if (request.method !== 'GET' || !isUnchanged(request.headers['if-none-match'], done.headers['etag'])) return done;
      return { status: 304, headers: { ...done.headers, ...quota?.refund() }, text: '' };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return finish({ status: error.status, body: refusalBody(error) });
    }
  }

  async function carryOut(
    match: Match,
    credential: Credential,
    url: URL,
    body: unknown,
    prefix: string,
  ): Promise<Answer> {
    const { owner, repo: name } = match.path;
    const repo = owner === undefined || name === undefined ? null : site.world.repo(owner, name);
    const renamed = owner === undefined || name === undefined ? null : site.world.renamed(owner, name);
    if (repo === null && renamed !== null) return moved(match, url, renamed.name);
    if (owner !== undefined && repo === null) throw new Refusal(404, 'Not Found');
    demand(match.id, credential, repo);
    if (match.id === 'rate-limit/get') return rateLimit(credential);
    const views = createViews({ api: `${origin}${prefix}`, web: origin });
    const handler = HANDLERS[match.id];
    if (handler === undefined) throw new Error(`nothing answers ${match.id}`);
    const by = actorOf(credential);
    return await handler({
      site,
      tokens,
      credential,
      by,
      repo,
      path: match.path,
      query: url.searchParams,
      body,
      views,
    });
  }

  function rateLimit(credential: Credential): Answer {
    const rate = limits.peek(credential);
    return { status: 200, body: { resources: { core: rate, search: rate }, rate } };
  }

  /** @throws 400 and 422 for what the description does not allow; each is a violation */
  function bodyOf(match: Match, url: URL, raw: string): unknown {
    const body = parsed(raw);
    const wrong = site.contract.checkRequest(match, { query: url.searchParams, body });
    if (Number(url.searchParams.get('per_page') ?? 0) > LARGEST_PAGE)
      wrong.push(`query per_page: at most ${LARGEST_PAGE}`);
    violations.push(...wrong.map((it) => `${match.id}: ${it}`));
    if (wrong.some((it) => it.startsWith('body'))) throw new Refusal(422, `Invalid request.\n\n${wrong.join('\n')}`);
    if (wrong.some((it) => it.startsWith('path'))) throw new Refusal(404, 'Not Found');
    return body;
  }

  function demandNoSecondary({ operation }: Match, headers: Record<string, string>): void {
    const { secondary } = limits;
    if (operation.method === 'GET' || secondary.writes <= 0) return;
    secondary.writes--;
    headers['retry-after'] = String(secondary.retryAfterSeconds);
    throw new Refusal(
      secondary.status,
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    );
  }
}

function reply(
  response: ServerResponse,
  seen: Seen,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  seen.status = status;
  const type = text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers }).end(text);
}

/** To where the repository is called now: reads are moved, writes are repeated there. */
function moved({ operation, path }: Match, url: URL, name: string): Answer {
  const there = new URL(url);
  there.pathname = url.pathname.replace(`/${path['owner']}/${path['repo']}`, `/${path['owner']}/${name}`);
  const about = { message: 'Moved Permanently', url: there.href, documentation_url: 'https://docs.github.com/rest' };
  return { status: operation.method === 'GET' ? 301 : 307, body: about, headers: { location: there.href } };
}

function scopesOf(credential: Credential): Record<string, string> {
  return credential.kind === 'classic' ? { 'x-oauth-scopes': credential.scopes.join(', ') } : {};
}

function refusalBody({ message, errors, status }: Refusal) {
  const about = { message, documentation_url: 'https://docs.github.com/rest', status: String(status) };
  return errors === null ? about : { ...about, errors };
}

function parsed(raw: string): unknown {
  if (raw === '') return undefined;
  try {
    return JSON.parse(raw);
  } catch {
    throw new Refusal(400, 'Problems parsing JSON');
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
