/** Who may agree to a plan: settings of the tracked branch, and what the forge says of a user. Pure. */
import { PERMISSIONS, type Permission } from '../../schemas/forge.ts';

/** What settings of one namespace say of agreements given on a forge. */
export interface ApproverRule {
  /** `@org/team`, `@login` or `login`; empty: whoever has one of `roles`. */
  readonly approvers: readonly string[];
  /** Authors may agree to their own plans. */
  readonly self: boolean;
  readonly roles: readonly Permission[];
}

/** People who are named must still be able to write: a name in settings outlives the membership. */
export const LEAST_OF_NAMED: readonly Permission[] = ['write'];

/** Whether a permission is the least of these, or greater. Of none of them: never. */
export function isAtLeast(permission: Permission, least: readonly Permission[]): boolean {
  const rank = (it: Permission) => PERMISSIONS.indexOf(it);
  return permission !== 'none' && least.some((it) => rank(permission) >= rank(it));
}

/** The approvers of a rule by kind; logins in lower case, since those of forges have no case. */
export function namedIn(approvers: readonly string[]): { readonly teams: string[]; readonly logins: string[] } {
  const names = approvers.map((it) => it.replace(/^@/, ''));
  return {
    teams: names.filter((it) => it.includes('/')).map((it) => `@${it}`),
    logins: names.filter((it) => !it.includes('/')).map((it) => it.toLowerCase()),
  };
}
