/** Pull requests: reading them, and the one that a branch of ours asks for. */
import { z } from 'zod';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { Pull, PullNumber } from '../../../schemas/forge.ts';
import { PullAnswer, pullOf } from './answers.ts';
import type { Call } from './client.ts';
import { ensureMade } from './ensure-made.ts';

const ALL = '/repos/{owner}/{repo}/pulls';
const ONE = `${ALL}/{pull_number}`;

/** See the port; last updated first. */
export async function listPulls(call: Call, since: string | null): Promise<Pull[]> {
  const newestFirst = { sort: 'updated', direction: 'desc' };
  // Open ones first: one that is closed meanwhile is then in both lists, and never in neither.
  const open = await call.list(z.array(PullAnswer), `GET ${ALL}`, { state: 'open', ...newestFirst });
  const sinceMs = since === null ? Number.POSITIVE_INFINITY : Date.parse(since);
  const isOld = ({ updated_at: at }: PullAnswer) => Date.parse(at) < sinceMs;
  const closed =
    since === null
      ? []
      : await call.list(z.array(PullAnswer), `GET ${ALL}`, { state: 'closed', ...newestFirst }, (it) => it.some(isOld));
  const found = new Map<number, Pull>();
  for (const it of [...open, ...closed.filter((one) => !isOld(one))]) found.set(it.number, pullOf(it));
  return [...found.values()].toSorted((a, b) => Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
}

export async function getPull(call: Call, number: PullNumber): Promise<Pull | null> {
  const answer = await call.get(PullAnswer, `GET ${ONE}`, { pull_number: number });
  return answer === null ? null : pullOf(answer);
}

export interface EnsurePullArgs {
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
}

/** See the port. `owner` and `repositoryId` tell our branch from one of the same name in a fork. */
export async function ensurePull(
  call: Call,
  { owner, repositoryId }: { readonly owner: string; readonly repositoryId: number },
  { branch, base, title, body }: EnsurePullArgs,
): Promise<Pull> {
  const find = async () => {
    const params = { state: 'open', head: `${owner}:${branch}` };
    const found = await call.list(z.array(PullAnswer), `GET ${ALL}`, params);
    return found.find((it) => it.head.ref === branch && it.head.repo?.id === repositoryId) ?? null;
  };
  const make = async () => {
    try {
      return await call.send(PullAnswer, `POST ${ALL}`, { title, head: branch, base, body });
    } catch (error) {
      // "A pull request already exists": somebody was quicker.
      const there = isSlipwayError(error, 'FORGE_INVALID') ? await find() : null;
      if (there === null) throw error;
      return there;
    }
  };
  const value = await ensureMade({ find, make, pause: () => call.pause() });
  if (value.title === title && (value.body ?? '') === body && value.base.ref === base) return pullOf(value);
  const rebased = value.base.ref === base ? {} : { base };
  const params = { pull_number: value.number, title, body, ...rebased };
  return pullOf(await call.send(PullAnswer, `PATCH ${ONE}`, params, { again: true }));
}
