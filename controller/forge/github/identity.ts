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
}

const AppAnswer = z.object({ id: z.int(), slug: z.string().min(1) });

/** Right of an installation → what is left out without it. Any of those on a line is enough. */
const WANTED: readonly (readonly [readonly string[], string])[] = [
  [['pull_requests', 'issues'], 'plan comments'],
  [['checks', 'statuses'], 'statuses'],
  [['deployments'], '"View deployment" links'],
];

/** Reads it; what is missing is said in the log. */
export async function readIdentity(
  call: Call,
  { credentials, log }: { readonly credentials: Credentials; readonly log: Logger },
): Promise<Identity> {
  const repository = await found(call.get(RepositoryAnswer, 'GET /repos/{owner}/{repo}'));
  const place = { webUrl: repository.html_url, repositoryId: repository.id };
  if (credentials.kind === 'token') {
    const user = userOf(await found(call.get(UserAnswer, 'GET /user')));
    return { user, ...place, checks: false, appId: null };
  }
  const app = await found(call.get(AppAnswer, 'GET /app'));
  // What an App writes is by the bot user of its name.
  const user = userOf(await found(call.get(UserAnswer, 'GET /users/{username}', { username: `${app.slug}[bot]` })));
  const { permissions } = await call.access();
  const may = (right: string) => permissions?.[right] === 'write';
  for (const [rights, what] of WANTED) {
    if (rights.some(may)) continue;
    const missing = rights.map((it) => `${it.replaceAll('_', ' ')}: write`).join(' or ');
    log.warn({ missing }, `the GitHub App may not write ${what}: they are left out until it is given the right`);
  }
  return { user, ...place, checks: may('checks'), appId: app.id };
}

async function found<T>(answer: Promise<T | null>): Promise<T> {
  const value = await answer;
  if (value !== null) return value;
  throw new SlipwayError('FORGE_REFUSED', 'GitHub does not say who the credentials belong to');
}
