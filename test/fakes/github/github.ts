/** A GitHub in the process of a test: API, git over HTTP and webhooks, each held to what GitHub publishes about it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadContract } from './contract.ts';
import { createFaults, type Fault } from './faults.ts';
import type { Hook } from './hooks.ts';
import { createLimits } from './limits.ts';
import { addRepo, createRepository, type Repository, type RepositoryArgs } from './repository.ts';
import { listen, type Seen } from './server.ts';
import { addHook, createSite } from './site.ts';
import { type App, createWorld, type Installation, type Permissions } from './state.ts';
import { createApp, createTokens, type Scope } from './tokens.ts';

export type Github = Awaited<ReturnType<typeof startGithub>>;

export interface GithubArgs {
  /** The API's address looks as on GitHub Enterprise, below `/api/v3`; both addresses work anyway. */
  readonly enterprise?: boolean;
  /** Milliseconds; the machine's clock when not given. */
  readonly clock?: () => number;
}

export async function startGithub({ enterprise = false, clock = Date.now }: GithubArgs = {}) {
  let aheadMs = 0;
  const now = () => clock() + aheadMs;
  const world = createWorld(now);
  const tokens = createTokens(world);
  const limits = createLimits(now);
  const faults = createFaults();
  const requests: Seen[] = [];
  const violations: string[] = [];
  const contract = loadContract();
  const root = await mkdtemp(join(tmpdir(), 'github-'));
  const prefix = enterprise ? '/api/v3' : '';
  const server = await listen(
    (origin) => createSite({ world, contract, bases: { api: `${origin}${prefix}`, web: origin } }),
    { tokens, limits, faults, requests, violations },
  );
  const { origin, site, alone } = server;
  const parts = { site, alone, root };

  function expectNoViolations(): void {
    if (violations.length > 0) throw new Error(`not as GitHub describes its API:\n${violations.join('\n')}`);
  }

  return {
    apiUrl: `${origin}${prefix}`,
    /** The other form of the API's address. */
    enterpriseUrl: `${origin}/api/v3`,
    webUrl: origin,
    /** Where git finds a repository such as `acme/fleet`; with a token it is in the address. */
    gitUrl: (fullName: string, token?: string) =>
      `${token === undefined ? origin : origin.replace('//', `//x-access-token:${token}@`)}/${fullName}.git`,
    /** Every request so far. */
    requests,
    violations,
    expectNoViolations,
    /** What was wrong so far was meant so; gives it. */
    forgiveViolations: () => violations.splice(0),
    limits,
    fail: (fault: Fault) => faults.add(fault),
    heal: () => faults.clear(),
    /** GitHub's clock goes ahead. */
    advance: (ms: number) => void (aheadMs += ms),

    user: (login: string) => world.account(login) ?? world.addAccount(login, 'User'),
    org: (login: string) => world.account(login) ?? world.addAccount(login, 'Organization'),

    /** A team of an organization; members by login. Call it again to change them. */
    team(org: string, slug: string, members: Readonly<Record<string, 'active' | 'pending'>>): void {
      const owner = world.account(org) ?? world.addAccount(org, 'Organization');
      const at = world.teams.findIndex((it) => it.org === owner && it.slug === slug);
      const people = new Map(Object.entries(members).map(([login, state]) => [world.user(login).id, state]));
      world.teams.splice(at === -1 ? world.teams.length : at, at === -1 ? 0 : 1, {
        id: world.nextId(),
        org: owner,
        slug,
        members: people,
      });
    },

    /** A new repository; the owner becomes an organization unless it was made before. */
    async repository(fullName: string, args: RepositoryArgs = {}): Promise<Repository> {
      const [login = '', name = ''] = fullName.split('/');
      const owner = world.account(login) ?? world.addAccount(login, 'Organization');
      return createRepository(parts, await alone(() => addRepo(parts, owner, name, args, null)));
    },

    /** A copy that belongs to somebody else. */
    fork: async (of: Repository, login: string, name = of.repo.name): Promise<Repository> =>
      createRepository(parts, await alone(() => addRepo(parts, world.user(login), name, {}, of.repo))),

    /** Tokens of users, each with its own rules. */
    classicToken: (login: string, scopes: readonly Scope[] = ['repo']) => tokens.classic(world.user(login), scopes),
    fineGrainedToken: (login: string, permissions: Permissions, repositories: readonly Repository[] | null = null) =>
      tokens.fineGrained(world.user(login), permissions, repositories?.map((it) => it.id) ?? null),
    revoke: tokens.revoke,

    /** An App; `privateKey` is its PEM. */
    app: (slug: string): App => createApp(world, slug),
    /** Installs an App for an account, for all of its repositories unless some are named. */
    install(
      app: App,
      account: string,
      permissions: Permissions,
      repositories: readonly Repository[] | null = null,
    ): Installation {
      const owner = world.user(account);
      const installation = {
        id: world.nextId(),
        account: owner,
        permissions,
        repositoryIds: repositories?.map((it) => it.id) ?? null,
      };
      app.installations.push(installation);
      return installation;
    },
    /** A token as the App would get it. */
    installationToken: (app: App, installation: Installation) => tokens.installation({ app, installation }).token,
    /** Deliveries of everything that the App is installed for. */
    appHook: (installation: Installation, args: { url: string; secret: string }): Hook =>
      addHook(site, {
        ...args,
        repo: null,
        installationId: installation.id,
        hears: (repo) => repo.owner === installation.account && (installation.repositoryIds?.includes(repo.id) ?? true),
      }),

    /** Every delivery that was begun has its answer. */
    async settled(): Promise<void> {
      for (const hook of site.hooks) await hook.settled();
    },

    /** @throws when anything was not as GitHub describes it */
    async close(): Promise<void> {
      await server.close();
      await rm(root, { recursive: true, force: true });
      expectNoViolations();
    },
  };
}
