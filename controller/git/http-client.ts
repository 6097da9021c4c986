/**
 * The transport to a git server over http(s): token in a header, an end to every wait, a limit to every answer.
 *
 * Answers are taken whole before isomorphic-git sees them, so that a cut connection is an error here and never half a
 * pack there. Redirects within the same origin move the base address (GitLab adds ".git" so); others are refused.
 */
import type { GitHttp } from './engine.ts';
import { oneLine } from './parse-objects.ts';
import { unavailable } from './unavailable.ts';

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Status → what the reader should do about it. */
const STATUS_MEANS: Readonly<Record<number, string>> = {
  401: 'the token is missing, wrong or expired',
  403: 'the token may not do this with the repository',
  404: 'there is no such repository, or the token may not see it',
  429: 'too many requests',
};

/** Code of a failed connection → what it means. */
const NETWORK_MEANS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'is a name that does not resolve',
  EAI_AGAIN: 'is a name that cannot be resolved now',
  ETIMEDOUT: 'cannot be reached',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ECONNRESET: 'cut the connection',
  UND_ERR_SOCKET: 'cut the connection',
  UND_ERR_CONNECT_TIMEOUT: 'cannot be reached',
  CERT_HAS_EXPIRED: 'has a certificate that is expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that nobody signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate that nobody known signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate that cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate of another host',
};

const CUT = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export interface HttpClientArgs {
  /** Of the repository, without trailing slash and without credentials. */
  readonly url: string;
  /** The same for people. */
  readonly name: string;
  readonly token: string | null;
  readonly signal: AbortSignal;
  readonly maxResponseBytes: number;
}

/** A transport for one operation; it ends with the signal. @throws SOURCE_UNAVAILABLE from its requests */
export function createHttpClient(args: HttpClientArgs): GitHttp {
  let base = args.url;
  return {
    async request({ url, method = 'GET', headers = {}, body }) {
      if (!url.startsWith(`${args.url}/`)) throw unavailable(`${args.name}: a request left the repository`);
      const suffix = url.slice(args.url.length);
      const sent = body === undefined ? null : await collect(body);
      for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
        const response = await send(args, `${base}${suffix}`, { method, headers: { ...headers }, body: sent });
        if (REDIRECTS.has(response.status)) {
          base = redirected(args, base, suffix, response.headers.get('location'));
          await response.body?.cancel();
          continue;
        }
        await refuseUnusable(args, response, method, suffix);
        const bytes = await readWhole(args, response);
        return {
          url,
          statusCode: response.status,
          statusMessage: response.statusText,
          headers: Object.fromEntries(response.headers),
          body: once(bytes),
        };
      }
      throw unavailable(`${args.name} redirects in circles`);
    },
  };
}

async function send(
  args: HttpClientArgs,
  url: string,
  request: { method: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> | null },
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('user-agent', 'git/2.0 (slipway)');
  if (args.token !== null) headers.set('authorization', basic(args.token));
  const go = () => fetch(url, { ...request, headers, redirect: 'manual', signal: args.signal });
  try {
    // A kept connection that the server closed meanwhile fails on first use; every request here may be repeated.
    return await go().catch((error: unknown) =>
      CUT.has(codeOf(error)) && !args.signal.aborted ? go() : Promise.reject(error),
    );
  } catch (error) {
    throw broken(args, error);
  }
}

/** "x-access-token" is what GitHub wants for every kind of token; other forges take any user name. */
function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}

function redirected(args: HttpClientArgs, base: string, suffix: string, location: string | null): string {
  const target = location !== null && URL.canParse(location, base) ? new URL(location, `${base}${suffix}`) : null;
  const origin = new URL(base).origin;
  if (target === null || target.origin !== origin || !target.href.endsWith(suffix)) {
    const where = target === null ? '' : ` to ${oneLine(target.host + target.pathname)}`;
    throw unavailable(`${args.name} redirects${where}: credentials do not follow; use the new address`);
  }
  return target.href.slice(0, -suffix.length);
}

async function refuseUnusable(args: HttpClientArgs, response: Response, method: string, suffix: string): Promise<void> {
  const service = suffix.includes('git-receive-pack') ? 'git-receive-pack' : 'git-upload-pack';
  const wanted = `application/x-${service}-${method === 'GET' ? 'advertisement' : 'result'}`;
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 200 && type === wanted) return;
  await response.body?.cancel();
  if (response.status === 200) throw unavailable(`${args.name} answers, but not as a git server does`);
  const lacksToken = response.status === 401 && args.token === null;
  const means = lacksToken
    ? 'it wants a token, and none is set (SLIPWAY_GIT_TOKEN, or SLIPWAY_FORGE_TOKEN)'
    : STATUS_MEANS[response.status];
  throw unavailable(`${args.name} answered ${response.status}${means === undefined ? '' : `: ${means}`}`);
}

async function readWhole(args: HttpClientArgs, response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > args.maxResponseBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw broken(args, error);
  }
  if (sizeBytes > args.maxResponseBytes) {
    throw unavailable(`${args.name} sends more than ${Math.floor(args.maxResponseBytes / 2 ** 20)} MiB at once`);
  }
  return Buffer.concat(chunks);
}

function broken(args: HttpClientArgs, error: unknown): Error {
  if (args.signal.aborted) return args.signal.reason as Error;
  return unavailable(`${args.name} ${NETWORK_MEANS[codeOf(error)] ?? 'cannot be read'}`, error);
}

/** What fetch rejects with hides the system's code in its cause. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes;
}
