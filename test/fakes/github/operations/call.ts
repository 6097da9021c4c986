/** What an operation is given and what it may refuse. */
import type { Answer } from '../answer.ts';
import type { Site } from '../site.ts';
import { type Account, Refusal, type Repo } from '../state.ts';
import type { Credential, Tokens } from '../tokens.ts';
import type { Views } from '../views.ts';

export interface Call {
  readonly site: Site;
  readonly tokens: Tokens;
  readonly credential: Credential;
  /** Who does it; null: nobody or an App itself. */
  readonly by: Account | null;
  /** The repository of the path; null: the path has none. */
  readonly repo: Repo | null;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Held to the description before the operation sees it. */
  readonly body: unknown;
  readonly views: Views;
}

export type RepoCall = Call & { readonly repo: Repo; readonly by: Account };

export type Handler = (call: Call) => Answer | Promise<Answer>;

/** An operation on the repository of its path. */
export function inRepo(handle: (call: RepoCall) => Answer | Promise<Answer>): Handler {
  return (call) => {
    if (call.repo === null) throw new Refusal(404, 'Not Found');
    return handle({ ...call, repo: call.repo, by: call.by ?? { id: 0, login: 'ghost', type: 'User' } });
  };
}

export const notFound = () => new Refusal(404, 'Not Found');

/** What is there, else 404. */
export function must<T>(found: T | null | undefined): T {
  if (found === null || found === undefined) throw notFound();
  return found;
}

/** A number of the path. */
export function numberOf(call: Call, name: string): number {
  return Number(call.path[name]);
}

/** The longest text that GitHub stores in a body. */
const LONGEST_BODY = 65_536;

/** @throws 422 for text longer than GitHub takes */
export function demandBody(resource: string, text: string | null | undefined): void {
  if ([...(text ?? '')].length <= LONGEST_BODY) return;
  const message = `body is too long (maximum is ${LONGEST_BODY} characters)`;
  throw new Refusal(422, 'Validation Failed', [{ resource, field: 'body', code: 'custom', message }]);
}
