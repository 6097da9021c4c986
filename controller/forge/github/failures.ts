/** What a request that failed means: an error with a code, a reason and what to do. Pure. */
import { SlipwayError } from '../../../schemas/errors.ts';
import { quoted } from './texts.ts';

/** What Octokit throws, as far as it is looked at. */
export interface Failed {
  /** 500 without headers where no answer came. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** GitHub's own words; empty where it has none. */
  readonly said: string;
  /** Why there is no answer; null: there is one. */
  readonly network: string | null;
  /** It was the App's installation that was asked for, on the way to what was wanted. */
  readonly installing: boolean;
}

/** The request that failed, for people. */
export interface Asked {
  /** `GitHub`, or `GitHub at ghe.example.com`. */
  readonly forge: string;
  /** `acme/fleet`. */
  readonly repository: string;
  /** `POST /repos/{owner}/{repo}/statuses/{sha}`. */
  readonly route: string;
  /** Where a wrong credential has to be mended: `SLIPWAY_FORGE_TOKEN`. */
  readonly credential: string;
}

/** null: this is no answer and no network failure, but a bug. */
export function readFailed(error: unknown): Failed | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  const { response, request } = error as {
    response?: { headers?: object; data?: unknown };
    request?: { url?: unknown };
  };
  const installing = typeof request?.url === 'string' && INSTALLING.test(request.url);
  if (response === undefined) {
    const cause = error.cause instanceof Error ? error.cause : null;
    return { status: error.status, headers: {}, said: '', network: cause?.message ?? 'cannot be reached', installing };
  }
  const headers = (response.headers ?? {}) as Record<string, string | undefined>;
  return { status: error.status, headers, said: wordsOf(response.data), network: null, installing };
}

/** "Get a repository installation for the authenticated app", "Create an installation access token for an app". */
const INSTALLING = /\/(?:installation|access_tokens)$/;

function wordsOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  const { message, errors } = data as { message?: unknown; errors?: unknown };
  const details = Array.isArray(errors) ? errors.map((it) => detailOf(it)).filter((it) => it !== '') : [];
  return quoted([typeof message === 'string' ? message : '', ...details].filter((it) => it !== '').join('; '));
}

function detailOf(error: unknown): string {
  if (typeof error === 'string') return error;
  const { message, field, code } = (error ?? {}) as Record<string, unknown>;
  if (typeof message === 'string') return message;
  return [field, code].filter((it) => typeof it === 'string').join(': ');
}

/** Without a word of GitHub's on when a secondary limit ends: "wait for at least one minute" (REST API, rate limits). */
const UNSAID_LIMIT_MS = 60_000;
const LONGEST_LIMIT_MS = 2 * 3_600_000;

/** When the limit that refused the request ends, in milliseconds since the epoch; null: no limit refused it. */
export function limitEnd({ status, headers, said }: Failed, nowMs: number): number | null {
  if (status !== 403 && status !== 429) return null;
  const wait = statedWaitMs(headers, nowMs);
  if (wait !== null) return nowMs + Math.min(Math.max(wait, 0), LONGEST_LIMIT_MS);
  return status === 429 || /\bsecondary rate\b/i.test(said) ? nowMs + UNSAID_LIMIT_MS : null;
}

function statedWaitMs(headers: Failed['headers'], nowMs: number): number | null {
  const seconds = headers['retry-after'];
  if (seconds !== undefined && /^\d{1,6}$/.test(seconds)) return Number(seconds) * 1000;
  const reset = headers['x-ratelimit-reset'];
  if (headers['x-ratelimit-remaining'] !== '0' || reset === undefined || !/^\d{1,11}$/.test(reset)) return null;
  // The server's clock and ours may differ: its own date is compared. A second more, because both are cut.
  const serverMs = Date.parse(headers['date'] ?? '');
  return Number(reset) * 1000 - (Number.isNaN(serverMs) ? nowMs : serverMs) + 1000;
}

/** FORGE_UNAVAILABLE with the end of the limit. */
export function limited(forge: string, endsAtMs: number): SlipwayError {
  const until = new Date(endsAtMs).toISOString();
  return new SlipwayError('FORGE_UNAVAILABLE', `${forge} limits our requests until ${until}`, { until });
}

/** `unclear`: whether what was asked for happened all the same cannot be told. */
export function isUnclear(error: unknown): boolean {
  return error instanceof SlipwayError && error.details['unclear'] === true;
}

/** Whether the thing that was named is not there (or may not be seen). */
export function isMissing(error: unknown): boolean {
  return error instanceof SlipwayError && error.details['status'] === 404;
}

/** The error for a request that was answered with a failure, or not at all. Limits are looked at before. */
export function failureOf(failed: Failed, asked: Asked): SlipwayError {
  const { status, said, network } = failed;
  const what = `${asked.route.split(' ')[0] ?? ''} ${pathOf(asked)}`;
  if (network !== null) return unclear(`${asked.forge} ${network}`, status);
  const answer = `${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 500 || status < 400) return unclear(`${asked.forge} answered ${answer} to ${what}`, status);
  const refused = REFUSED[status];
  if (refused === undefined) {
    return new SlipwayError('FORGE_INVALID', `${asked.forge} refuses ${what} (${answer})`, { status });
  }
  return new SlipwayError('FORGE_REFUSED', `${refused(asked, what, answer)}${hint(failed, asked)}`, { status });
}

/** Status → who has to do something about it. Others mean that the request itself is not taken. */
const REFUSED: Readonly<Record<number, (asked: Asked, what: string, answer: string) => string>> = {
  401: ({ forge, credential }, _, answer) =>
    `${forge} does not take the credentials (${answer}): put valid ones in ${credential}`,
  403: ({ forge }, what, answer) => `${forge} refuses ${what} (${answer})`,
  404: ({ forge }, what, answer) => `${forge} has nothing at ${what}, or the credentials may not see it (${answer})`,
  451: ({ forge }, what, answer) => `${forge} refuses ${what} (${answer})`,
};

function unclear(message: string, status: number): SlipwayError {
  return new SlipwayError('FORGE_UNAVAILABLE', message, { status, unclear: true });
}

function hint(failed: Failed, asked: Asked): string {
  if (failed.status === 401) return '';
  if (failed.installing) return `: install the App on ${asked.repository}`;
  return `: they need ${missingRight(failed.headers, asked.route)} on ${asked.repository}`;
}

/** Route → the right in the words of GitHub's settings pages; `read` or `write` follows from the method. */
const RIGHTS: readonly (readonly [RegExp, string])[] = [
  [/\/issues\//, 'issues or pull requests'],
  [/\/pulls/, 'pull requests'],
  [/\/statuses\/|\/status$/, 'commit statuses'],
  [/\/check-runs/, 'checks'],
  [/\/deployments/, 'deployments'],
  [/ \/orgs\//, 'members (of the organisation)'],
  [/./, 'metadata'],
];

/** The right as GitHub names it in the answer, else as our table does. */
function missingRight(headers: Failed['headers'], route: string): string {
  const permissions = headers['x-accepted-github-permissions'] ?? '';
  // "issues=write; pull_requests=write": one of the alternatives; "," joins those needed together.
  if (/^[\w=,; ]{1,200}$/.test(permissions)) {
    const readable = permissions.replaceAll('=', ': ').replaceAll('_', ' ').replaceAll(/; */g, ' or ');
    return `"${readable.replaceAll(/, */g, ' and ')}"`;
  }
  const scopes = (headers['x-accepted-oauth-scopes'] ?? '').split(',').map((it) => it.trim());
  const held = new Set((headers['x-oauth-scopes'] ?? '').split(',').map((it) => it.trim()));
  const known = scopes.filter((it) => /^[\w:]{1,40}$/.test(it));
  if (known.length > 0 && !known.some((it) => held.has(it))) return `the scope ${known.join(' or ')}`;
  const name = RIGHTS.find(([pattern]) => pattern.test(route))?.[1] ?? 'metadata';
  return `"${name}: ${route.startsWith('GET ') ? 'read' : 'write'}"`;
}

function pathOf({ route, repository }: Asked): string {
  return (route.split(' ')[1] ?? '').replace('{owner}/{repo}', repository);
}
