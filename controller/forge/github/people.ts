/** Who may what: read from the API each time it matters, never from a delivery. What cannot be told throws. */
import { z } from 'zod';
import { SlipwayError } from '../../../schemas/errors.ts';
import { type ForgeUser, PERMISSIONS, type Permission, type PullNumber } from '../../../schemas/forge.ts';
import { askersOf, PermissionAnswer, permissionOf, ReviewAnswer } from './answers.ts';
import type { Call } from './client.ts';
import { quoted } from './texts.ts';

/** What GitHub gives as logins; nothing else gets into a path (`..` would). */
const LOGIN = /^[a-z\d](?:[a-z\d_-]{0,98})(?:\[bot\])?$/i;
const TEAM = /^@([a-z\d][a-z\d-]{0,98})\/([\p{L}\p{N}_.-]{1,100})$/iu;

/** See the port. A login that another account has by now has no permission: GitHub says whose it tells. */
export async function permission(call: Call, login: string): Promise<Permission> {
  if (!LOGIN.test(login)) return 'none';
  const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
  const answer = await call.get(PermissionAnswer, route, { username: login });
  if (answer === null) return 'none';
  if (answer.user && answer.user.login.toLowerCase() !== login.toLowerCase()) return 'none';
  const found = permissionOf(answer);
  if (found !== null) return found;
  const word = quoted(answer.permission, 40);
  throw new SlipwayError('FORGE_UNAVAILABLE', `GitHub names a permission that is not known here: ${word}`);
}

/** See the port. */
export async function isMember(call: Call, team: string, login: string): Promise<boolean> {
  const [, org, slug] = TEAM.exec(team) ?? [];
  if (org === undefined || slug === undefined || /^\.+$/.test(slug)) {
    throw new SlipwayError('FORGE_INVALID', `${quoted(team, 80)} is not a team: write @organisation/team`);
  }
  if (!LOGIN.test(login)) return false;
  const place = { org, team_slug: slug };
  const route = 'GET /orgs/{org}/teams/{team_slug}/memberships/{username}';
  const membership = await call.get(z.object({ state: z.string() }), route, { ...place, username: login });
  if (membership !== null) return membership.state === 'active';
  // 404 is said of strangers to the team, and of teams that the credentials may not see.
  if ((await call.get(z.object({ slug: z.string() }), 'GET /orgs/{org}/teams/{team_slug}', place)) !== null)
    return false;
  const right = 'the credentials need "members: read" of the organisation (a classic token: the scope read:org)';
  throw new SlipwayError('FORGE_REFUSED', `There is no team ${quoted(team, 80)}, or it may not be seen: ${right}`);
}

/** See the port. */
export async function changeRequests(call: Call, pull: PullNumber): Promise<ForgeUser[]> {
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const reviews = await call.list(z.array(ReviewAnswer), route, { pull_number: pull });
  const counting: ForgeUser[] = [];
  for (const user of askersOf(reviews)) {
    if (mayWrite(await permission(call, user.login))) counting.push(user);
  }
  return counting;
}

function mayWrite(has: Permission): boolean {
  return PERMISSIONS.indexOf(has) >= PERMISSIONS.indexOf('write');
}
