/** From what an operation gives to what goes over the wire: pages with links, ETags, required fields. */
import { createHash } from 'node:crypto';
import { type Contract, type Match, type Schema } from './contract.ts';
import { fill, type Json } from './filler.ts';

/** What an operation gives: a record, or a list that is cut into pages. */
export type Answer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly status: number;
      readonly list: readonly Json[];
      /** Puts a page into its record; the page itself is the answer when not given. */
      readonly wrap?: (page: readonly Json[]) => Json;
    };

export interface Wire {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const PAGE = 30;
const LARGEST_PAGE = 100;

/** Complete, paged, and marked; violations are what our own answer has wrong. */
export function complete(
  contract: Contract,
  match: Match,
  url: URL,
  answer: Answer,
): { wire: Wire; violations: string[] } {
  const { body, headers } =
    'list' in answer ? paged(url, answer) : { body: answer.body, headers: answer.headers ?? {} };
  const schema = contract.responseSchema(match, answer.status);
  if (body === undefined)
    return { wire: { status: answer.status, headers, text: '' }, violations: known(schema, answer.status) };
  const whole = schema === undefined || schema === null ? body : fill(schema, body, contract.resolve);
  const violations = schema ? contract.checkResponse(match, answer.status, whole) : known(schema, answer.status);
  const text = JSON.stringify(whole);
  return { wire: { status: answer.status, headers: { ...headers, etag: etagOf(text) }, text }, violations };
}

/** Refusals are described for few operations only; success must be described. */
function known(schema: Schema | null | undefined, status: number): string[] {
  return schema === undefined && status < 300 ? [`answer ${status} is not described`] : [];
}

function etagOf(text: string): string {
  return `W/"${createHash('sha256').update(text).digest('hex')}"`;
}

/** Whether the asker has it already. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string | undefined): boolean {
  if (ifNoneMatch === undefined || etag === undefined) return false;
  const strong = (it: string) => it.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((it) => strong(it) === strong(etag));
}

function paged(url: URL, { list, wrap }: Extract<Answer, { list: unknown }>) {
  const number = (name: string, otherwise: number) => {
    const value = Number(url.searchParams.get(name) ?? otherwise);
    return Number.isInteger(value) && value > 0 ? value : otherwise;
  };
  const size = Math.min(number('per_page', PAGE), LARGEST_PAGE);
  const page = number('page', 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const part = list.slice((page - 1) * size, page * size);
  const link = (rel: string, to: number) => {
    const there = new URL(url);
    there.searchParams.set('page', String(to));
    return `<${there.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link('prev', Math.min(page - 1, last)), link('first', 1)] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
  ];
  return { body: wrap === undefined ? part : wrap(part), headers: links.length > 0 ? { link: links.join(', ') } : {} };
}
