/** Operations on repositories, their branches, and the people in them. */
import { commitsBetween, git, revisionOf } from '../bare.ts';
import { nodeId } from '../commit-views.ts';
import { atLeast, levelOf, Refusal, type Repo, same, type Team } from '../state.ts';
import { SHOWN_LEVEL } from '../views.ts';
import { type Call, type Handler, inRepo, must, notFound } from './call.ts';

const branchesOf = (repo: Repo) =>
  [...repo.refs]
    .filter(([ref]) => ref.startsWith('refs/heads/'))
    .map(([ref, sha]) => ({ name: ref.slice('refs/heads/'.length), sha }));

const IS_REVISION = /^[0-9a-f]{40}$/;

/** Whoever is not in the organization sees no team. @throws 404 */
function seenTeam({ site, path, by, credential }: Call): Team {
  const team = site.world.teams.find((it) => same(it.org.login, path['org'] ?? '') && it.slug === path['team_slug']);
  const inside =
    credential.kind === 'installation'
      ? credential.installation.account === team?.org
      : site.world.teams.some((it) => it.org === team?.org && by !== null && it.members.has(by.id));
  if (!inside) throw notFound();
  return must(team);
}

export const REPOS = {
  'repos/get': inRepo(({ repo, views, by }) => {
    const level = levelOf(repo, by);
    const permissions = {
      admin: level === 'admin',
      maintain: atLeast(level, 'maintain'),
      push: atLeast(level, 'write'),
      triage: atLeast(level, 'triage'),
      pull: atLeast(level, 'read'),
    };
    return { status: 200, body: { ...views.repo(repo), permissions } };
  }),

  'repos/list-branches': inRepo(({ repo, views }) => ({
    status: 200,
    list: branchesOf(repo).map(({ name, sha }) => views.branch(name, sha, repo)),
  })),

  'repos/get-branch': inRepo(async ({ repo, path, views }) => {
    const { name, sha } = must(branchesOf(repo).find((it) => it.name === path['branch']));
    const [info] = await commitsBetween(repo.dir, null, sha).then((all) => all.slice(-1));
    const commit = views.gitCommit(must(info), repo);
    const shown = {
      sha,
      node_id: nodeId('Commit', repo.id),
      url: commit['url'],
      html_url: commit['html_url'],
      commit,
      parents: commit['parents'],
    };
    return { status: 200, body: { name, commit: { ...shown, author: null, committer: null }, protected: false } };
  }),

  'git/get-ref': inRepo(async ({ repo, path, views }) => {
    const ref = `refs/${path['ref']}`;
    const sha = await git(repo.dir, ['rev-parse', '--verify', '-q', '--end-of-options', ref]).catch(() => null);
    if (sha === null) throw notFound();
    const type = await git(repo.dir, ['cat-file', '-t', sha]);
    const url = `${views.repoApi(repo)}/git/${ref}`;
    return {
      status: 200,
      body: {
        ref,
        node_id: nodeId('Ref', repo.id),
        url,
        object: { type, sha, url: `${views.repoApi(repo)}/git/${type}s/${sha}` },
      },
    };
  }),

  'git/get-commit': inRepo(async ({ repo, path, views }) => {
    const sha = path['commit_sha'] ?? '';
    const found = IS_REVISION.test(sha) ? await revisionOf(repo.dir, sha) : null;
    const [info] = await commitsBetween(repo.dir, null, must(found)).then((all) => all.slice(-1));
    return { status: 200, body: views.gitCommit(must(info), repo) };
  }),

  'repos/get-collaborator-permission-level': inRepo(({ repo, path, site, views }) => {
    const login = path['username'] ?? '';
    const user = site.world.account(login);
    if (user === null) throw new Refusal(404, `${login} is not a user`);
    const level = levelOf(repo, user);
    return { status: 200, body: { permission: SHOWN_LEVEL[level], role_name: level, user: views.user(user) } };
  }),

  'teams/get-by-name': (call) => {
    const { org, slug, id } = seenTeam(call);
    const about = { id, slug, name: slug, privacy: 'closed', type: 'organization', members_count: 0 };
    return { status: 200, body: { ...about, organization: { id: org.id, login: org.login, type: 'Organization' } } };
  },

  'teams/get-membership-for-user-in-org': (call) => {
    const { site, path, views } = call;
    const team = seenTeam(call);
    const user = must(site.world.account(path['username'] ?? ''));
    const state = must(team.members.get(user.id));
    const url = `${views.api}/teams/${team.id}/memberships/${user.login}`;
    return { status: 200, body: { url, role: 'member', state } };
  },

  'users/get-authenticated': ({ by, views }) => ({ status: 200, body: views.user(must(by)) }),

  'users/get-by-username': ({ path, site, views }) => ({
    status: 200,
    body: views.user(must(site.world.account(path['username'] ?? ''))),
  }),
} satisfies Record<string, Handler>;
