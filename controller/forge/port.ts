/**
 * The forge port: every verb states an end result and may be called again. Errors are SlipwayError: FORGE_UNAVAILABLE
 * (network, 5xx, limits), FORGE_REFUSED (credentials or rights are missing, named), FORGE_INVALID (it refuses what we
 * send). Nothing from a delivery is ever passed in here but numbers and ids.
 */
import type {
  CommentRef,
  ForgeUser,
  Permission,
  Pull,
  PullComment,
  PullNumber,
  StatusState,
} from '../../schemas/forge.ts';
import type { Revision } from '../../schemas/names.ts';

/** What the credentials can do; what they cannot is left out and said once. */
export interface ForgeIdentity {
  /** Who we are: comments by this user are ours. */
  readonly user: ForgeUser;
  /** What the repository is called in links, such as `https://github.com/acme/fleet`. */
  readonly webUrl: string;
  readonly repositoryId: number;
  /** Check runs are for Apps only. */
  readonly checks: boolean;
}

/** A link between a message and a line of a manifest, for check runs. */
export interface Annotation {
  readonly path: string;
  readonly line: number;
  readonly level: 'failure' | 'warning' | 'notice';
  readonly message: string;
}

export interface StatusArgs {
  readonly revision: Revision;
  /** At most 255 characters; longer ones are cut and stay distinct. */
  readonly context: string;
  readonly state: StatusState;
  /** One line, cut to 140 characters. */
  readonly description: string;
  readonly url: string | null;
  /** Shown where check runs are possible. */
  readonly annotations?: readonly Annotation[];
}

export interface EnvironmentArgs {
  /** Name of the environment, such as `preview/pr-7`. */
  readonly environment: string;
  /** Head branch for a branch of the same repository, else null: the revision is named. */
  readonly branch: string | null;
  readonly revision: Revision;
  readonly state: 'in_progress' | 'success' | 'failure' | 'inactive';
  /** Where it answers; null: nowhere yet. */
  readonly url: string | null;
  readonly description: string;
}

export interface Forge {
  /** Read once, then kept. */
  identity(signal: AbortSignal): Promise<ForgeIdentity>;
  /** Open pull requests, and closed ones updated since then; conditional, so that "nothing new" costs nothing. */
  listPulls(since: string | null, signal: AbortSignal): Promise<readonly Pull[]>;
  /** null: there is none of this number. */
  getPull(number: PullNumber, signal: AbortSignal): Promise<Pull | null>;
  /** null: deleted since. */
  getComment(id: number, signal: AbortSignal): Promise<PullComment | null>;
  /** Comments of all pull requests that were created or changed since then, oldest first. */
  listComments(since: string, signal: AbortSignal): Promise<readonly PullComment[]>;
  /**
   * Our one comment that begins with the marker says exactly this. Nothing is written when it already does; a deleted one
   * is made again.
   */
  ensureComment(
    args: {
      readonly pull: PullNumber;
      readonly marker: string;
      readonly body: string;
      readonly known: CommentRef | null;
    },
    signal: AbortSignal,
  ): Promise<CommentRef>;
  /** `seen` at once, then `done` or `failed`. */
  react(comment: number, reaction: 'seen' | 'done' | 'failed', signal: AbortSignal): Promise<void>;
  setStatus(args: StatusArgs, signal: AbortSignal): Promise<void>;
  /** The newest deployment of the environment is in this state; `inactive` closes all of them. */
  setEnvironment(args: EnvironmentArgs, signal: AbortSignal): Promise<void>;
  /** What the user may do now; `none` for strangers. @throws rather than guess */
  permission(login: string, signal: AbortSignal): Promise<Permission>;
  /** Whether the user is an active member of `@org/team`. @throws rather than guess */
  isMember(team: string, login: string, signal: AbortSignal): Promise<boolean>;
  /** Who last asked for changes and did not take that back; people with write access only. */
  changeRequests(pull: PullNumber, signal: AbortSignal): Promise<readonly ForgeUser[]>;
  /** An open pull request from the branch (it was pushed before) says this; made when there is none. */
  ensurePull(
    args: { readonly branch: string; readonly base: string; readonly title: string; readonly body: string },
    signal: AbortSignal,
  ): Promise<Pull>;
}
