/** What is asked of GitHub, as the verbs ask it: conditional reads, whole lists, creates that are sent once. */
import type { z } from 'zod';
import { SlipwayError } from '../../../schemas/errors.ts';
import { RepositoryAnswer } from './answers.ts';
import { createEtags, type KeptAnswer } from './etags.ts';
import { isMissing, readFailed } from './failures.ts';
import type { Access, Lane } from './octokit.ts';
import { createSender, type SenderArgs } from './sender.ts';

type Params = Readonly<Record<string, unknown>>;

/** `again`: it says an end result and may be sent twice. */
interface How {
  readonly lane?: Lane;
  readonly again?: boolean;
}

/** Requests that end with one signal; `owner` and `repo` are filled in. */
export interface Call {
  /** null: there is no such thing, in a repository that can be seen. */
  get<T>(answer: z.ZodType<T>, route: string, params?: Params): Promise<T | null>;
  /** All pages, or those up to the first that is `enough`. */
  list<T>(
    page: z.ZodType<readonly T[]>,
    route: string,
    params: Params,
    enough?: (page: readonly T[]) => boolean,
  ): Promise<T[]>;
  /** Sent once, so that its outcome may be unclear (`isUnclear`), unless it says an end result. */
  send<T>(answer: z.ZodType<T>, route: string, params: Params, how?: How): Promise<T>;
  /** Before something of unclear outcome is looked for. */
  pause(): Promise<void>;
  access(): Promise<Access>;
}

export interface Client {
  with(signal: AbortSignal): Call;
}

const REPOSITORY = 'GET /repos/{owner}/{repo}';
const HEADERS = { 'x-github-api-version': '2022-11-28' };

export function createClient(args: SenderArgs): Client {
  const { owner, repo, clock, limits } = args;
  const sender = createSender(args);
  const etags = createEtags(limits.etagBytes);
  const origin = new URL(args.apiUrl).origin;

  /** An answer that did not change costs nothing. */
  function read(route: string, params: Params, signal: AbortSignal): Promise<Omit<KeptAnswer, 'etag'>> {
    return sender.attempt(route, signal, async (session) => {
      const address = session.address(route, params);
      if (new URL(address).origin !== origin) {
        throw invalid(`links to another address: set SLIPWAY_FORGE_API to its own`);
      }
      const kept = etags.get(address);
      const headers = kept === null ? HEADERS : { ...HEADERS, 'if-none-match': kept.etag };
      try {
        const answer = await session.request(route, { ...params, headers, request: { signal } }, 'usual');
        const link = typeof answer.headers['link'] === 'string' ? answer.headers['link'] : '';
        const etag = answer.headers['etag'];
        if (typeof etag === 'string') etags.keep(address, { etag, link, data: answer.data });
        return { link, data: answer.data };
      } catch (error) {
        // Octokit throws a 304.
        if (kept !== null && readFailed(error)?.status === 304) return kept;
        throw error;
      }
    });
  }

  /** What a path does not name would be sent as a query. */
  function placed(route: string, params: Params): Params {
    return route.includes('{owner}/{repo}') ? { owner, repo, ...params } : params;
  }

  function understood<T>(answer: z.ZodType<T>, data: unknown, route: string): T {
    const parsed = answer.safeParse(data);
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    const what = `${sender.forge} answered ${route} in a way that GitHub does not`;
    throw new SlipwayError('FORGE_UNAVAILABLE', where === '' ? what : `${what} (at ${where})`, { unclear: true });
  }

  function invalid(what: string): SlipwayError {
    return new SlipwayError('FORGE_INVALID', `${sender.forge} ${what}`);
  }

  return {
    with: (signal) => ({
      async get(answer, route, params = {}) {
        try {
          return understood(answer, (await read(route, placed(route, params), signal)).data, route);
        } catch (error) {
          if (!isMissing(error) || route === REPOSITORY) throw error;
          // GitHub says 404 also of all that may not be seen: only in a repository that can be seen it means "none".
          understood(RepositoryAnswer, (await read(REPOSITORY, { owner, repo }, signal)).data, REPOSITORY);
          return null;
        }
      },

      async list<T>(
        page: z.ZodType<readonly T[]>,
        route: string,
        params: Params,
        enough: (page: readonly T[]) => boolean = () => false,
      ) {
        const items: T[] = [];
        let answer = await read(route, placed(route, { per_page: 100, ...params }), signal);
        for (let pages = 1; pages <= limits.maxPages; pages++) {
          const found = understood(page, answer.data, route);
          items.push(...found);
          const next = /<([^<>]+)>;\s*rel="next"/.exec(answer.link)?.[1];
          if (next === undefined || enough(found)) return items;
          answer = await read(`GET ${next}`, {}, signal);
        }
        throw invalid(`has more than ${limits.maxPages} pages for ${route}`);
      },

      async send(answer, route, params, { lane = 'usual', again = false } = {}) {
        const request = again ? { signal } : { signal, retries: 0 };
        const sent = await sender.attempt(route, signal, (session) =>
          session.request(route, { ...placed(route, params), headers: HEADERS, request }, lane),
        );
        return understood(answer, sent.data, route);
      },

      pause: () => clock.sleep(limits.settleMs, signal).catch(() => signal.throwIfAborted()),
      access: () => sender.access(signal),
    }),
  };
}
