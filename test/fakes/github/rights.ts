/** Which credential may ask what, and how GitHub says no: as it documents permissions of each operation. */
import { atLeast, type Level, levelOf, type Permissions, Refusal, type Repo } from './state.ts';
import { actorOf, type Credential, type Scope } from './tokens.ts';

interface Right {
  /** Permissions of which one is enough, for fine-grained tokens and Apps. */
  readonly permissions: readonly (readonly [name: string, level: 'read' | 'write'])[];
  /** Scopes of which one is enough for a classic token, besides `repo`. */
  readonly scopes?: readonly Scope[];
  /** What the user behind a token must be able to do. */
  readonly level: Level;
  /** Who asks at all; users and installations when not given. */
  readonly only?: 'app' | 'user' | 'installation' | 'anyone';
  /** What a user who may not is told; 404 hides it. */
  readonly denied?: readonly [status: number, message: string];
}

const ADMIN_ONLY = [403, 'Must have admin rights to Repository.'] as const;
const HIDDEN = [404, 'Not Found'] as const;
const BOTH = (level: 'read' | 'write') =>
  [
    ['issues', level],
    ['pull_requests', level],
  ] as const;
const metadata: Right = { permissions: [['metadata', 'read']], level: 'read' };
const contents: Right = { permissions: [['contents', 'read']], level: 'read' };
const talkRead: Right = { permissions: BOTH('read'), level: 'read' };
const talk: Right = { permissions: BOTH('write'), level: 'read' };
const label: Right = { permissions: BOTH('write'), level: 'triage', denied: HIDDEN };
const pullRead: Right = { permissions: [['pull_requests', 'read']], level: 'read' };
const pullWrite: Right = { permissions: [['pull_requests', 'write']], level: 'read' };
const statusRead: Right = { permissions: [['statuses', 'read']], scopes: ['repo:status'], level: 'read' };
const deploymentRead: Right = { permissions: [['deployments', 'read']], scopes: ['repo_deployment'], level: 'read' };
const deploy: Right = {
  permissions: [['deployments', 'write']],
  scopes: ['repo_deployment'],
  level: 'write',
  denied: HIDDEN,
};
const checkRead: Right = { permissions: [['checks', 'read']], level: 'read' };
const check: Right = { permissions: [['checks', 'write']], level: 'write', only: 'installation' };
const ownApp: Right = { permissions: [], level: 'none', only: 'app' };

/** By operation of the description. */
export const RIGHTS: Readonly<Record<string, Right>> = {
  'apps/create-installation-access-token': ownApp,
  'apps/get-authenticated': ownApp,
  'apps/get-repo-installation': ownApp,
  'checks/create': check,
  'checks/get': checkRead,
  'checks/list-for-ref': checkRead,
  'checks/update': check,
  'git/get-commit': contents,
  'git/get-ref': contents,
  'issues/add-labels': label,
  'issues/create-comment': talk,
  'issues/delete-comment': talk,
  'issues/get': talkRead,
  'issues/get-comment': talkRead,
  'issues/list-comments': talkRead,
  'issues/list-comments-for-repo': talkRead,
  'issues/remove-label': label,
  'issues/update-comment': talk,
  'pulls/create': pullWrite,
  'pulls/get': pullRead,
  'pulls/list': pullRead,
  'pulls/list-reviews': pullRead,
  'pulls/merge': { permissions: [['contents', 'write']], level: 'write', denied: HIDDEN },
  'pulls/update': pullWrite,
  'rate-limit/get': { permissions: [], level: 'none', only: 'anyone' },
  'reactions/create-for-issue-comment': talk,
  'reactions/delete-for-issue-comment': talk,
  'reactions/list-for-issue-comment': talkRead,
  'repos/create-commit-status': {
    permissions: [['statuses', 'write']],
    scopes: ['repo:status'],
    level: 'write',
    denied: HIDDEN,
  },
  'repos/create-deployment': deploy,
  'repos/create-deployment-status': deploy,
  'repos/get': metadata,
  'repos/get-branch': contents,
  'repos/get-collaborator-permission-level': {
    ...metadata,
    level: 'write',
    denied: [403, 'Must have push access to view collaborator permission.'],
  },
  'repos/get-combined-status-for-ref': statusRead,
  'repos/get-deployment': deploymentRead,
  'repos/list-branches': contents,
  'repos/list-commit-statuses-for-ref': statusRead,
  'repos/list-deployment-statuses': deploymentRead,
  'repos/list-deployments': deploymentRead,
  'teams/get-by-name': { permissions: [['members', 'read']], scopes: ['read:org'], level: 'none' },
  'teams/get-membership-for-user-in-org': { permissions: [['members', 'read']], scopes: ['read:org'], level: 'none' },
  'users/get-authenticated': { permissions: [], level: 'none', only: 'user' },
  'users/get-by-username': { permissions: [], level: 'none', only: 'anyone' },
};

/** @throws the refusal that GitHub would give; returns when it may be done */
export function demand(operationId: string, credential: Credential, repo: Repo | null): void {
  const right = RIGHTS[operationId];
  if (right === undefined) throw new Error(`nobody said who may ask ${operationId}`);
  demandKind(right, credential);
  if (right.only === 'app' || right.only === 'anyone') return;
  if (repo !== null) demandSight(credential, repo);
  if (repo === null && credential.kind === 'anonymous') throw new Refusal(401, 'Requires authentication');
  demandGrant(right, credential, repo);
  const user = credential.kind === 'classic' || credential.kind === 'fine-grained' ? credential.user : null;
  if (repo !== null && user !== null && !atLeast(levelOf(repo, user), right.level))
    throw new Refusal(...(right.denied ?? ADMIN_ONLY));
}

function demandKind({ only }: Right, { kind }: Credential): void {
  if (only === 'anyone') return;
  if (only === 'app' && kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded');
  if (only !== 'app' && kind === 'app') throw new Refusal(403, 'Resource not accessible by integration');
  if (only === 'user' && kind === 'installation') throw new Refusal(403, 'Resource not accessible by integration');
  if (only === 'user' && kind === 'anonymous') throw new Refusal(401, 'Requires authentication');
  if (only === 'installation' && kind === 'classic') throw new Refusal(403, 'You must authenticate via a GitHub App.');
  if (only === 'installation' && kind === 'fine-grained')
    throw new Refusal(403, 'Resource not accessible by personal access token');
}

/** A repository that one may not see is not there. */
export function demandSight(credential: Credential, repo: Repo): void {
  if (!repo.private) return;
  const seen =
    reaches(credential, repo) &&
    (credential.kind === 'installation' || levelOf(repo, actorOf(credential)) !== 'none') &&
    (credential.kind !== 'classic' || hasAny(credential.scopes, ['repo', 'repo:status', 'repo_deployment']));
  if (!seen) throw new Refusal(404, 'Not Found');
}

function demandGrant(right: Right, credential: Credential, repo: Repo | null): void {
  const writes = right.permissions.some(([, level]) => level === 'write');
  const open = repo !== null && !repo.private && !writes;
  if (open) return;
  if (credential.kind === 'anonymous') throw new Refusal(401, 'Requires authentication');
  if (credential.kind === 'classic') {
    const enough: Scope[] = [
      ...(right.scopes ?? []),
      ...(repo === null ? [] : (['repo'] as const)),
      ...(repo?.private === false ? (['public_repo'] as const) : []),
    ];
    if (enough.length > 0 && !hasAny(credential.scopes, enough))
      throw new Refusal(repo === null ? 403 : 404, 'Not Found');
    return;
  }
  if (credential.kind === 'app' || right.permissions.length === 0) return;
  const inside = repo === null || reaches(credential, repo);
  if (inside && right.permissions.some(([name, level]) => grants(credential.permissions, name, level))) return;
  const kind = credential.kind === 'installation' ? 'integration' : 'personal access token';
  throw new Refusal(403, `Resource not accessible by ${kind}`);
}

/** Whether it was given for this repository, whatever it may do there. */
export function reaches(credential: Credential, repo: Repo): boolean {
  if (credential.kind !== 'fine-grained' && credential.kind !== 'installation') return true;
  const chosen = credential.repositoryIds?.includes(repo.id) ?? true;
  return chosen && (credential.kind === 'fine-grained' || credential.installation.account.id === repo.owner.id);
}

export function grants(permissions: Permissions, name: string, level: 'read' | 'write'): boolean {
  const given = name === 'metadata' ? (permissions[name] ?? 'read') : permissions[name];
  return given === 'write' || given === level;
}

function hasAny<T>(all: readonly T[], wanted: readonly T[]): boolean {
  return wanted.some((it) => all.includes(it));
}
