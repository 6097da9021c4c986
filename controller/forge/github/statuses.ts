/** Commit statuses: one line in the merge box. */
import { z } from 'zod';
import type { StatusArgs } from '../port.ts';
import type { Call } from './client.ts';
import { ensureMade } from './ensure-made.ts';
import { shortContext, shortDescription } from './texts.ts';

const StatusAnswer = z.object({
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
});
const CombinedAnswer = z.object({ statuses: z.array(StatusAnswer) }).transform((it) => it.statuses);

/** The newest status of the context says this. A commit takes 1,000 statuses of a context, so nothing is said twice. */
export async function setCommitStatus(call: Call, args: StatusArgs): Promise<void> {
  const context = shortContext(args.context);
  const description = shortDescription(args.description);
  const find = async () => {
    const params = { ref: args.revision };
    const newest = await call.list(CombinedAnswer, 'GET /repos/{owner}/{repo}/commits/{ref}/status', params);
    const same = newest.some(
      (it) =>
        it.context === context &&
        it.state === args.state &&
        (it.description ?? '') === description &&
        (it.target_url ?? null) === args.url,
    );
    return same ? true : null;
  };
  const body = { sha: args.revision, context, description, state: args.state, ...linked(args.url) };
  const make = async () => {
    await call.send(StatusAnswer, 'POST /repos/{owner}/{repo}/statuses/{sha}', body);
    return true;
  };
  await ensureMade({ find, make, pause: () => call.pause() });
}

function linked(url: string | null): { target_url?: string } {
  return url === null ? {} : { target_url: url };
}
