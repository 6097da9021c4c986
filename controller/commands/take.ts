/**
 * Takes commands in comments: read from the API, claimed once and for all, answered by a reaction at once, held against
 * the role of who wrote it, carried out, and said how it ended. A command is never carried out twice; one whose controller
 * died is said to be interrupted.
 */
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { CommandResult, PullComment, PullNumber } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Settings } from '../../schemas/settings.ts';
import type { Bucket } from '../../store/port.ts';
import { type Clock, isoNow } from '../execute/clock.ts';
import type { Forge } from '../forge/port.ts';
import { type Claim, createClaims } from './claims.ts';
import { createPace } from './pace.ts';
import { type Command, type Parsed, parseCommand } from './parse.ts';
import { whyNotAllowed } from './roles.ts';
import { actorOf, type CommandVerbs, carryOutCommand, Refused } from './verbs.ts';

export interface CommandDeps {
  readonly forge: Pick<Forge, 'identity' | 'getComment' | 'getPull' | 'permission' | 'react'>;
  /** The bucket `commands`. */
  readonly bucket: Bucket;
  readonly verbs: CommandVerbs;
  /** Settings of the tracked branch as they were read last; null: not yet, so that nobody may do anything. */
  readonly settings: () => Settings | null;
  /** Names this term of this controller and no other. */
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace?: (point: string) => void;
}

/** What the sticky comment of a pull request is to say. */
export interface Answer {
  readonly pull: PullNumber;
  readonly result: CommandResult;
}

export interface Commands {
  /**
   * Carries out the command in a comment; null: there is none, or it is not for us, or somebody took it. May last as long
   * as a deploy. Calling it again for the same comment does nothing.
   *
   * @throws FORGE_UNAVAILABLE, STATE_UNAVAILABLE before the comment was claimed: the caller comes again
   */
  take(comment: number, signal: AbortSignal): Promise<Answer | null>;
  /** Commands that a controller left when it died, each said once; to be called when a term begins. */
  interrupted(signal: AbortSignal): Promise<Answer[]>;
  /** How the last command of each pull request ended: a controller may have died before anybody was told. */
  lastResults(): Promise<Answer[]>;
}

const INTERRUPTED =
  'It was interrupted: the controller that took it ended, and nobody knows how far it came. Look, and write it again if it is still wanted.';

export function createCommands(deps: CommandDeps): Commands {
  const { forge, clock, log } = deps;
  const claims = createClaims(deps);
  const pace = createPace({ now: () => clock.now() });

  function resultOf(about: Pick<CommandResult, 'by' | 'command'>, ok: boolean, text: string): CommandResult {
    return { ...about, ok, text, at: isoNow(clock) };
  }

  /** @throws SOURCE_UNAVAILABLE */
  function settingsNow(): Settings {
    const settings = deps.settings();
    if (settings !== null) return settings;
    throw new SlipwayError('SOURCE_UNAVAILABLE', 'slipway.toml of the tracked branch was not read yet');
  }

  /** Nice to have: a command is not stopped for it. */
  async function react(comment: number, reaction: 'seen' | 'done' | 'failed', signal: AbortSignal): Promise<void> {
    await forge.react(comment, reaction, signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error, comment }, 'no reaction');
    });
  }

  /** Whether it is a person's comment, as that person first wrote it. */
  async function isForUs(comment: PullComment, signal: AbortSignal): Promise<boolean> {
    if (comment.author.bot || comment.updatedAt !== comment.createdAt) return false;
    return comment.author.id !== (await forge.identity(signal)).user.id;
  }

  /** Who may not even read gets a reaction; else anybody could write into the comment of a public repository. */
  async function isStranger({ author }: PullComment, signal: AbortSignal): Promise<boolean> {
    return await forge.permission(author.login, signal).then(
      (it) => it === 'none',
      () => false,
    );
  }

  async function carryOut(comment: PullComment, command: Command, signal: AbortSignal): Promise<string> {
    const pull = await forge.getPull(comment.pull, signal);
    if (pull === null) throw new Refused(`There is no pull request #${comment.pull}.`);
    if (pull.state === 'closed')
      throw new Refused(
        'The pull request is closed without a merge; commands are taken in one that is open or merged.',
      );
    const settings = settingsNow();
    const why = whyNotAllowed(command.verb, await forge.permission(comment.author.login, signal), settings.roles);
    if (why !== null) throw new Refused(why);
    const asked = { pull, user: comment.author, comment: comment.id, settings, signal };
    return await carryOutCommand(deps.verbs, asked, command);
  }

  /** How it ended; null: our own end came first, and the next term says so. */
  async function resultFor(comment: PullComment, parsed: Parsed, signal: AbortSignal): Promise<CommandResult | null> {
    const about = aboutOf(comment, parsed);
    if (parsed.kind === 'mistaken') return resultOf(about, false, parsed.suggestion);
    try {
      return resultOf(about, true, await carryOut(comment, parsed.command, signal));
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof Refused) return resultOf(about, false, error.message);
      if (isSlipwayError(error)) return resultOf(about, false, `${error.code}: ${error.message}`);
      log.error({ err: error, comment: comment.id }, 'a command failed');
      return resultOf(about, false, 'It failed inside Slipway; the log of the controller says how.');
    }
  }

  /** What another term left is said, once; what this one is at is left alone. */
  async function sayInterrupted(claim: Claim, signal: AbortSignal): Promise<Answer | null> {
    const { state, owner, by, command, pull, comment } = claim.taken;
    if (state !== 'running' || owner === deps.owner) return null;
    const result = resultOf({ by, command }, false, INTERRUPTED);
    if (!(await claims.end(claim, 'interrupted', result))) return null;
    await react(comment, 'failed', signal);
    return { pull, result };
  }

  return {
    async take(id, signal) {
      const before = await claims.get(id);
      if (before !== null) return await sayInterrupted(before, signal);
      const comment = await forge.getComment(id, signal);
      const parsed = comment === null ? null : parseCommand(comment.body);
      if (comment === null || parsed === null || !(await isForUs(comment, signal))) return null;
      // A term begins before the branch is read; what was written meanwhile waits, and is not refused for that.
      if (parsed.kind === 'command') settingsNow();
      const { pull } = comment;
      const own = { ...aboutOf(comment, parsed), comment: id, pull, owner: deps.owner, at: isoNow(clock) };
      if (!pace.isWithin(comment.author.id)) {
        log.warn({ comment: id, user: comment.author.login }, 'too many commands of one user; this one is ignored');
        // For good: told of again in a quieter minute it would run when nobody expects it any more.
        await claims.create({ ...own, state: 'failed', result: null });
        return null;
      }
      const claim = await claims.create({ ...own, state: 'running', result: null });
      if (claim === null) return null;
      deps.trace?.('command:claimed');
      await react(id, 'seen', signal);
      const result = await resultFor(comment, parsed, signal);
      deps.trace?.('command:carried-out');
      if (result === null || !(await claims.end(claim, result.ok ? 'done' : 'failed', result))) return null;
      deps.trace?.('command:ended');
      await react(id, result.ok ? 'done' : 'failed', signal);
      return !result.ok && (await isStranger(comment, signal)) ? null : { pull, result };
    },
    async interrupted(signal) {
      const answers: Answer[] = [];
      for (const claim of await claims.all()) {
        const answer = await sayInterrupted(claim, signal);
        if (answer !== null) answers.push(answer);
      }
      return answers;
    },
    async lastResults() {
      const last = new Map<PullNumber, CommandResult>();
      for (const { taken } of await claims.all()) {
        const { pull, result } = taken;
        if (result !== null && result.at > (last.get(pull)?.at ?? '')) last.set(pull, result);
      }
      return [...last].map(([pull, result]) => ({ pull, result }));
    },
  };
}

function aboutOf(comment: PullComment, parsed: Parsed): Pick<CommandResult, 'by' | 'command'> {
  return { by: actorOf(comment.author), command: parsed.kind === 'command' ? parsed.text : '' };
}
