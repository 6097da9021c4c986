/** GitHub as a forge: the port's verbs over one client. */
import type { Logger } from '../../../schemas/logger.ts';
import type { Credentials } from '../credentials.ts';
import type { Forge } from '../port.ts';
import { setCheckRun } from './check-runs.ts';
import { createClient } from './client.ts';
import { ensureComment, getComment, listComments, react } from './comments.ts';
import { setEnvironment } from './environments.ts';
import { type Identity, readIdentity } from './identity.ts';
import { DEFAULT_LIMITS, type GithubLimits } from './limits.ts';
import { changeRequests, isMember, permission } from './people.ts';
import { ensurePull, getPull, listPulls } from './pulls.ts';
import type { ForgeClock } from './sender.ts';
import { setCommitStatus } from './statuses.ts';

export interface GithubArgs {
  /** `https://api.github.com`, or `https://ghe.example.com/api/v3`. */
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  readonly credentials: Credentials;
  readonly clock: ForgeClock;
  readonly log: Logger;
  /** Keeps the gaps between writes that github.com asks for. Enterprise servers have limits only if they were given some. */
  readonly throttle: boolean;
  readonly limits?: Partial<GithubLimits>;
}

/** A forge whose credentials serve git over https too. */
export interface Github extends Forge {
  /** For the user `x-access-token`; an App's lasts an hour, so it is asked for before every operation. */
  gitToken(signal: AbortSignal): Promise<string>;
}

/** Nothing is asked, and nothing loaded, before the first verb. */
export function createGithub(args: GithubArgs): Github {
  const { owner, credentials, log } = args;
  const client = createClient({ ...args, limits: { ...DEFAULT_LIMITS, ...args.limits } });
  let known: Identity | null = null;
  const identity = async (signal: AbortSignal) => {
    known ??= await readIdentity(client.with(signal), { credentials, log });
    return known;
  };

  return {
    identity: async (signal) => {
      const { appId: _, leftOut: __, ...shown } = await identity(signal);
      return shown;
    },
    listPulls: (since, signal) => listPulls(client.with(signal), since),
    getPull: (number, signal) => getPull(client.with(signal), number),
    getComment: (id, signal) => getComment(client.with(signal), id),
    listComments: (since, signal) => listComments(client.with(signal), since),
    ensureComment: async (wanted, signal) => ensureComment(client.with(signal), (await identity(signal)).user, wanted),
    react: (comment, reaction, signal) => react(client.with(signal), comment, reaction),
    setStatus: async (status, signal) => {
      const { checks, appId, leftOut } = await identity(signal);
      if (leftOut.has('statuses')) return;
      const call = client.with(signal);
      await (checks && appId !== null ? setCheckRun(call, appId, status) : setCommitStatus(call, status));
    },
    setEnvironment: async (environment, signal) => {
      if ((await identity(signal)).leftOut.has('deployments')) return;
      await setEnvironment(client.with(signal), environment);
    },
    permission: (login, signal) => permission(client.with(signal), login),
    isMember: (team, login, signal) => isMember(client.with(signal), team, login),
    changeRequests: (pull, signal) => changeRequests(client.with(signal), pull),
    ensurePull: async (wanted, signal) => {
      const { repositoryId } = await identity(signal);
      return await ensurePull(client.with(signal), { owner, repositoryId }, wanted);
    },
    gitToken: async (signal) => (await client.with(signal).access()).token,
  };
}
