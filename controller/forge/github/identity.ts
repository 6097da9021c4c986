/** Who we are, and what our credentials can do. */
import { z } from 'zod';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { Logger } from '../../../schemas/logger.ts';
import type { Credentials } from '../credentials.ts';
import type { ForgeIdentity } from '../port.ts';
import { RepositoryAnswer, UserAnswer, userOf } from './answers.ts';
import type { Call } from './client.ts';

/** `appId`: what check runs are looked for by; null: we are no App. */
export interface Identity extends ForgeIdentity {
  readonly appId: number | null;
  /** What an App was not given the right for, and what is then left out. Of tokens GitHub does not say it beforehand. */
  readonly leftOut: ReadonlySet<Written>;
}

export type Written = 'comments' | 'statuses' | 'deployments';

const AppAnswer = z.object({ id: z.int(), slug: z.string().min(1) });

/** What we write → the rights of an installation of which one is enough. */
const RIGHTS: Readonly<Record<Written, readonly string[]>> = {
  comments: ['pull_requests', 'issues'],
  statuses: ['checks', 'statuses'],
  deployments: ['deployments'],
};

/** Reads it; what is missing is said in the log. */
export async function readIdentity(
  call: Call,
  { credentials, log }: { readonly credentials: Credentials; readonly log: Logger },
): Promise<Identity> {
  const repository = await found(call.get(RepositoryAnswer, 'GET /repos/{owner}/{repo}'));
  const place = { webUrl: repository.html_url, repositoryId: repository.id };
  if (credentials.kind === 'token') {
    const user = userOf(await found(call.get(UserAnswer, 'GET /user')));
    return { user, ...place, checks: false, appId: null, leftOut: new Set() };
  }
  const app = await found(call.get(AppAnswer, 'GET /app'));
  // What an App writes is by the bot user of its name.
  const user = userOf(await found(call.get(UserAnswer, 'GET /users/{username}', { username: `${app.slug}[bot]` })));
  const { permissions } = await call.access();
  const may = (right: string) => permissions?.[right] === 'write';
  const leftOut = new Set<Written>();
  for (const [what, rights] of Object.entries(RIGHTS) as [Written, readonly string[]][]) {
    if (rights.some(may)) continue;
    leftOut.add(what);
    const missing = rights.map((it) => `${it.replaceAll('_', ' ')}: write`).join(' or ');
    log.warn({ missing }, `the GitHub App has no right to write ${what}: give it one and start the controller again`);
  }
  return { user, ...place, checks: may('checks'), appId: app.id, leftOut };
}

async function found<T>(answer: Promise<T | null>): Promise<T> {
  const value = await answer;
  if (value !== null) return value;
  throw new SlipwayError('FORGE_REFUSED', 'GitHub does not say who the credentials belong to');
}
