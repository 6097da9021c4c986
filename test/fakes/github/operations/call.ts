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

/** GitHub counts characters here and bytes there: whoever stays below this in bytes is right everywhere. */
const LONGEST_BODY_BYTES = 65_536;
const LONGEST = { context: 255, description: 140 } as const;

/** @throws 422 for text longer than GitHub takes */
export function demandBody(resource: string, text: string | null | undefined): void {
  if (Buffer.byteLength(text ?? '') <= LONGEST_BODY_BYTES) return;
  const message = `body is too long (maximum is ${LONGEST_BODY_BYTES} characters)`;
  throw new Refusal(422, 'Validation Failed', [{ resource, field: 'body', code: 'custom', message }]);
}

/** @throws 422 for a line longer than GitHub shows */
export function demandLength(resource: string, field: keyof typeof LONGEST, text: string | null | undefined): void {
  if (Array.from(text ?? '').length <= LONGEST[field]) return;
  const message = `${field} is too long (maximum is ${LONGEST[field]} characters)`;
  throw new Refusal(422, 'Validation Failed', [{ resource, field, code: 'custom', message }]);
}
