/** git over HTTP with the rules of GitHub's tokens: `git http-backend` behind them; after a push the state follows. */
import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { devNull } from 'node:os';
import { basename, dirname } from 'node:path';
import { refsChanged } from './refs.ts';
import { demandSight, grants, reaches } from './rights.ts';
import type { Site } from './site.ts';
import { type Account, atLeast, levelOf, Refusal, type Repo } from './state.ts';
import { actorOf, type Credential, type Tokens } from './tokens.ts';

const PATH = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack|git-receive-pack))$/;

interface GitRequest {
  readonly owner: string;
  readonly name: string;
  readonly rest: string;
  readonly query: string;
  readonly writes: boolean;
}

/** null: it is not git that asks. */
export function gitRequestOf(url: URL): GitRequest | null {
  const [, owner, name, rest] = PATH.exec(url.pathname) ?? [];
  if (owner === undefined || name === undefined || rest === undefined) return null;
  const service = rest === '/info/refs' ? url.searchParams.get('service') : rest.slice(1);
  return { owner, name, rest, query: url.search.slice(1), writes: service === 'git-receive-pack' };
}

/** The whole answer of git, after the pull requests followed a push. */
export async function serveGit(
  { site, tokens, alone }: { site: Site; tokens: Tokens; alone: <T>(work: () => Promise<T>) => Promise<T> },
  asked: GitRequest,
  request: IncomingMessage,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  try {
    const credential = tokens.of(request.headers.authorization);
    const { repo, by } = admit(site, asked, credential);
    const answer = await backend(repo, asked, request, by);
    if (asked.writes && request.method === 'POST' && by !== null) await alone(() => refsChanged(site, repo, by));
    return answer;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const headers = {
      'content-type': 'text/plain',
      ...(error.status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
    };
    return { status: error.status, headers, body: Buffer.from(error.message) };
  }
}

/** @throws as GitHub refuses: 401 for nobody, 404 for what one may not see, 403 for what one may not write */
function admit(
  { world }: Site,
  { owner, name, writes }: GitRequest,
  credential: Credential,
): { repo: Repo; by: Account | null } {
  if (credential.kind === 'app') throw new Refusal(401, 'Invalid username or token.');
  const by = actorOf(credential);
  const repo = world.repo(owner, name) ?? world.renamed(owner, name);
  if (repo === null)
    throw by === null ? new Refusal(401, 'Requires authentication') : new Refusal(404, 'Repository not found.');
  if (by === null) {
    if (writes || repo.private) throw new Refusal(401, 'Requires authentication');
    return { repo, by };
  }
  demandSight(credential, repo);
  const denied = new Refusal(403, `Permission to ${owner}/${name}.git denied to ${by.login}.`);
  if (!granted(credential, repo, writes)) throw denied;
  if (credential.kind !== 'installation' && !atLeast(levelOf(repo, by), writes ? 'write' : 'read')) throw denied;
  return { repo, by };
}

function granted(credential: Credential, repo: Repo, writes: boolean): boolean {
  if (credential.kind === 'classic')
    return (
      (!repo.private && !writes) ||
      credential.scopes.includes('repo') ||
      (!repo.private && credential.scopes.includes('public_repo'))
    );
  if (credential.kind !== 'fine-grained' && credential.kind !== 'installation') return false;
  const inside = reaches(credential, repo);
  return (
    (!repo.private && !writes) || (inside && grants(credential.permissions, 'contents', writes ? 'write' : 'read'))
  );
}

async function backend(repo: Repo, { rest, query }: GitRequest, request: IncomingMessage, by: Account | null) {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_PROJECT_ROOT: dirname(repo.dir),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${basename(repo.dir)}${rest}`,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method ?? 'GET',
    REMOTE_USER: by?.login ?? '',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    CONTENT_LENGTH: request.headers['content-length'] ?? '',
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
  };
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  request.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  return parsed(Buffer.concat(chunks));
}

/** An answer in the form of CGI (RFC 3875 section 6). */
function parsed(output: Buffer) {
  const end = output.indexOf('\r\n\r\n');
  const headers: Record<string, string> = {};
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { status = '200', ...rest } = headers;
  return { status: Number.parseInt(status, 10), headers: rest, body: output.subarray(end + 4) };
}
