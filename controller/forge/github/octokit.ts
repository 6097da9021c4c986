/**
 * The one place where Octokit is set up. It is loaded when the first request is made: commands that ask no forge do not
 * pay for it. Waiting for limits is the client's; here is only the pace that GitHub asks writers to keep.
 */
import { createHash } from 'node:crypto';
import type { Credentials } from '../credentials.ts';

/** `commands`: answers that somebody waits for; they do not queue behind comments. */
export type Lane = 'usual' | 'commands';

interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

/** A token and what it may do; null: GitHub does not say. */
export interface Access {
  readonly token: string;
  readonly permissions: Readonly<Record<string, string>> | null;
}

export interface Session {
  /** @throws what Octokit throws */
  request(route: string, params: object, lane: Lane): Promise<RawAnswer>;
  /** The address that a request would go to. */
  address(route: string, params: object): string;
  /** `refresh`: a new one, though the old one should last. */
  access(refresh: boolean): Promise<Access>;
}

export interface SessionArgs {
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly credentials: Credentials;
  readonly fetch: typeof fetch;
  readonly throttle: boolean;
  /** The first wait before a read is sent again; the n-th is n² times as long. */
  readonly retryMs: number;
  /** Gets what Octokit says beside its errors. */
  readonly say: (message: string) => void;
}

/** Reads are sent again twice; what makes something never (each call says so): an answer may be lost after the deed. */
const READ_RETRIES = 2;
/** 429 is a limit, which the client waits for; 409 and the others stay what they are. */
const NOT_AGAIN = [304, 400, 401, 403, 404, 409, 410, 422, 429, 451];

/** Loads Octokit and finds the App's installation. @throws what Octokit throws */
export async function openSession(args: SessionArgs): Promise<Session> {
  const [{ Octokit }, { throttling }, { retry }, { createAppAuth }] = await Promise.all([
    import('@octokit/rest'),
    import('@octokit/plugin-throttling'),
    import('@octokit/plugin-retry'),
    import('@octokit/auth-app'),
  ]);
  const Kind = Octokit.plugin(throttling, retry);
  const { credentials } = args;
  const quiet = quietLog(args.say);
  const connect = (auth: object, lane: Lane) =>
    new Kind({
      ...auth,
      baseUrl: args.apiUrl,
      userAgent: 'slipway',
      log: quiet,
      request: { fetch: args.fetch, log: quiet },
      retry: { doNotRetry: NOT_AGAIN, retries: READ_RETRIES, retryAfterBaseValue: args.retryMs },
      throttle: {
        enabled: args.throttle,
        // One pace for one credential, however many clients a process has; never one pace for two.
        id: `${paceId(args)}-${lane}`,
        onRateLimit: () => false,
        onSecondaryRateLimit: () => false,
      },
    });

  if (credentials.kind === 'token') {
    const token = credentials.token();
    const lanes = { usual: connect({ auth: token }, 'usual'), commands: connect({ auth: token }, 'commands') };
    return { ...requests(lanes), access: async () => ({ token, permissions: null }) };
  }

  const key = { appId: credentials.appId, privateKey: credentials.privateKey(), log: quiet };
  const installationId = credentials.installationId ?? (await findInstallation(args, connect(asApp(key), 'usual')));
  const auth = createAppAuth({ ...key, installationId, request: connect({}, 'usual').request });
  const strategy = { authStrategy: () => auth, auth: {} };
  return {
    ...requests({ usual: connect(strategy, 'usual'), commands: connect(strategy, 'commands') }),
    access: async (refresh) => {
      const { token, permissions } = await auth({ type: 'installation', refresh });
      return { token, permissions };
    },
  };

  function asApp(options: object) {
    return { authStrategy: createAppAuth, auth: options };
  }
}

/** What is used of an Octokit. */
interface Requester {
  request: ((route: string, params: object) => Promise<RawAnswer>) & {
    endpoint: (route: string, params: object) => { url: string };
  };
}

function requests(lanes: Readonly<Record<Lane, unknown>>): Pick<Session, 'request' | 'address'> {
  const of = (lane: Lane) => (lanes[lane] as Requester).request;
  return {
    request: async (route, params, lane) => of(lane)(route, params),
    address: (route, params) => of('usual').endpoint(route, params).url,
  };
}

async function findInstallation({ owner, repo }: SessionArgs, octokit: unknown): Promise<number> {
  const route = 'GET /repos/{owner}/{repo}/installation';
  const { data } = await (octokit as Requester).request(route, { owner, repo });
  return Number((data as { id?: unknown }).id);
}

function paceId({ apiUrl, owner, credentials }: SessionArgs): string {
  const who =
    credentials.kind === 'token' ? credentials.token() : `${credentials.appId}/${credentials.installationId ?? owner}`;
  return createHash('sha256').update(`${apiUrl} ${who}`).digest('hex').slice(0, 16);
}

/** Octokit warns of deprecations, with the server's own words; its failures come as errors. */
function quietLog(say: (message: string) => void) {
  return { debug: () => {}, info: () => {}, warn: say, error: () => {} };
}
