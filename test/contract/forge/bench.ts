/** What the cases of the forge's contract work with: the adapter, and a way of looking at GitHub that is not the adapter. */
import { Octokit } from '@octokit/rest';
import { systemClock } from '../../../controller/execute/clock.ts';
import type { Credentials } from '../../../controller/forge/credentials.ts';
import { createGithub, type Github, type GithubArgs } from '../../../controller/forge/github/github.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { type Github as Fake, startGithub } from '../../fakes/github/github.ts';
import type { Repository } from '../../fakes/github/repository.ts';

/** A pull request that a case has for itself. */
export interface OwnPull {
  readonly number: number;
  readonly branch: string;
  readonly revision: string;
}

export interface Bench {
  readonly forge: Github;
  /** Another client of the same GitHub, without any of our rules. */
  readonly api: Octokit;
  readonly place: { readonly owner: string; readonly repo: string };
  /** A login that may write, and one that has nothing to do with the repository. */
  readonly writer: string;
  readonly stranger: string;
  readonly newBranch: (name: string) => Promise<{ readonly branch: string; readonly revision: string }>;
  readonly newPull: (name: string) => Promise<OwnPull>;
  readonly close: () => Promise<void>;
}

/** A bench on the GitHub of the tests, with what only it can do. */
export interface FakeBench extends Bench {
  readonly github: Fake;
  readonly repository: Repository;
  /** Our own login. */
  readonly us: string;
  /** Another adapter of the same GitHub. */
  readonly another: (args: Partial<GithubArgs>) => Github;
  /** Runs something and gives the requests that it made. */
  readonly requestsOf: (run: () => Promise<unknown>) => Promise<string[]>;
}

/** Waits that tests can wait for. */
export const QUICK = { requestTimeoutMs: 1500, settleMs: 20, retryMs: 5, longestWaitMs: 3000 };

export type Kind = 'token' | 'app';

const RIGHTS = {
  pull_requests: 'write',
  issues: 'write',
  statuses: 'write',
  deployments: 'write',
  contents: 'write',
  members: 'read',
} as const;

export async function fakeBench(
  kind: Kind,
  { checks = false }: { readonly checks?: boolean } = {},
): Promise<FakeBench> {
  const github = await startGithub({ enterprise: kind === 'app' });
  for (const login of ['ann', 'bob', 'root', 'slipbot', 'stranger']) github.user(login);
  const repository = await github.repository('acme/fleet', {
    collaborators: { ann: 'write', bob: 'maintain', root: 'admin', slipbot: 'write' },
  });
  github.team('acme', 'ops', { root: 'active', slipbot: 'active', ann: 'active', bob: 'pending' });
  const app = github.app('slipway');
  const rights = checks ? { ...RIGHTS, checks: 'write' as const } : RIGHTS;
  github.install(app, 'acme', rights);
  const token = github.classicToken('slipbot', ['repo', 'read:org']);
  const credentials: Credentials =
    kind === 'token'
      ? { kind, token: () => token }
      : { kind, appId: String(app.id), privateKey: () => app.privateKey, installationId: null };
  const place = { owner: 'acme', repo: 'fleet' };
  const another = (args: Partial<GithubArgs>) =>
    createGithub({
      ...place,
      apiUrl: github.apiUrl,
      credentials,
      clock: systemClock,
      log: silentLogger,
      throttle: false,
      limits: QUICK,
      ...args,
    });
  const newBranch = async (name: string) => ({
    branch: name,
    revision: await repository.commit(name, { [`${name}.txt`]: name }, { by: 'ann' }),
  });
  return {
    github,
    repository,
    another,
    forge: another({}),
    us: kind === 'token' ? 'slipbot' : 'slipway[bot]',
    api: new Octokit({ baseUrl: github.apiUrl, auth: github.classicToken('root', ['repo', 'read:org']) }),
    place,
    writer: 'ann',
    stranger: 'stranger',
    newBranch,
    async newPull(name) {
      const { branch, revision } = await newBranch(name);
      return { number: await repository.openPull({ head: branch, by: 'ann' }), branch, revision };
    },
    async requestsOf(run) {
      const before = github.requests.length;
      await run();
      return github.requests.slice(before).map((it) => `${it.operation ?? it.path} ${it.status}`);
    },
    close: () => github.close(),
  };
}

/** A bench on a real repository: `FORGE_LIVE_REPO=OWNER/REPO FORGE_LIVE_TOKEN=…`, with write access; it leaves branches. */
export function liveBench(env: Readonly<Record<string, string | undefined>>): Bench {
  const [owner = '', repo = ''] = (env['FORGE_LIVE_REPO'] ?? '').split('/');
  const token = env['FORGE_LIVE_TOKEN'] ?? '';
  if (owner === '' || repo === '' || token === '')
    throw new Error('FORGE_LIVE=1 wants FORGE_LIVE_REPO and FORGE_LIVE_TOKEN');
  const place = { owner, repo };
  const apiUrl = env['FORGE_LIVE_API'] ?? 'https://api.github.com';
  const api = new Octokit({ auth: token, baseUrl: apiUrl });
  const run = Date.now().toString(36);
  const opened: number[] = [];
  const newBranch = async (name: string) => {
    const branch = `slipway-live-${run}-${name}`;
    const { data } = await api.repos.get(place);
    const base = await api.git.getRef({ ...place, ref: `heads/${data.default_branch}` });
    await api.git.createRef({ ...place, ref: `refs/heads/${branch}`, sha: base.data.object.sha });
    const content = Buffer.from(name).toString('base64');
    const file = { ...place, branch, path: `${branch}.txt`, message: `Live test: ${name}`, content };
    const made = await api.repos.createOrUpdateFileContents(file);
    return { branch, revision: made.data.commit.sha ?? '' };
  };
  return {
    api,
    place,
    newBranch,
    forge: createGithub({
      ...place,
      apiUrl,
      credentials: { kind: 'token', token: () => token },
      clock: systemClock,
      log: silentLogger,
      throttle: true,
    }),
    writer: env['FORGE_LIVE_WRITER'] ?? owner,
    stranger: 'ghost',
    async newPull(name) {
      const made = await newBranch(name);
      const base = (await api.repos.get(place)).data.default_branch;
      const { data } = await api.pulls.create({ ...place, head: made.branch, base, title: `Live test: ${name}` });
      opened.push(data.number);
      return { number: data.number, ...made };
    },
    async close() {
      for (const pull_number of opened) await api.pulls.update({ ...place, pull_number, state: 'closed' });
    },
  };
}
