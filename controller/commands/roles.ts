/** Who may give which command: what the forge says of a user now, against `[roles]` of the tracked branch. Pure. */
import type { Permission } from '../../schemas/forge.ts';
import type { Settings } from '../../schemas/settings.ts';
import { isAtLeast } from '../consent/approvers.ts';
import type { Verb } from './parse.ts';

/** `read`: anybody who can read the repository. `own`: the command looks itself. */
const ROLES = {
  plan: 'read',
  help: 'read',
  preview: 'preview',
  destroy: 'preview',
  // `[approvals.NS]` may name people who have another role.
  approve: 'own',
  promote: 'deploy',
  rollback: 'deploy',
  freeze: 'deploy',
  unfreeze: 'deploy',
} as const satisfies Record<Verb, keyof Settings['roles'] | 'read' | 'own'>;

/** null: the command may be given; else why not, as a sentence. */
export function whyNotAllowed(verb: Verb, permission: Permission, roles: Settings['roles']): string | null {
  const role = ROLES[verb];
  const least: readonly Permission[] = role === 'read' || role === 'own' ? ['read'] : roles[role];
  if (isAtLeast(permission, least)) return null;
  if (least.length === 0)
    return `Nobody may give this command: [roles] of slipway.toml names no permission for ${role}.`;
  return `This command takes the permission ${least.join(' or ')} on the repository, and yours is ${permission}.`;
}
