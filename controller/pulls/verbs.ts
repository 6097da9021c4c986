/** The verbs of commands that are about the pull request itself: plan, preview, destroy, promote. */
import { SlipwayError } from '../../schemas/errors.ts';
import { isFork, type PullNumber } from '../../schemas/forge.ts';
import type { Revision } from '../../schemas/names.ts';
import { type Asked, actorOf, type CommandVerbs, Refused } from '../commands/verbs.ts';
import type { LandDeps } from '../promotion/land.ts';
import { promote } from '../promotion/promote.ts';
import type { Desk } from './desk.ts';
import type { PullRecords } from './records.ts';

export interface PullVerbDeps {
  readonly records: PullRecords;
  readonly desk: Pick<Desk, 'refresh'>;
  readonly landing: LandDeps;
  /** ISO time. */
  readonly now: () => string;
}

/** Each only notes what is wanted: the look at the pull request that follows every command makes it so. */
export function createPullVerbs(deps: PullVerbDeps): Pick<CommandVerbs, 'plan' | 'preview' | 'destroy' | 'promote'> {
  const { records, desk } = deps;

  /** The forge says that it is ours. */
  async function rememberAsker(number: PullNumber, { user, signal }: Asked): Promise<void> {
    const pull = (await deps.landing.forge?.getPull(number, signal)) ?? null;
    if (pull === null) throw new SlipwayError('FORGE_UNAVAILABLE', `pull request #${number} cannot be found yet`);
    await records.change(pull, (it) => ({ ...it, askedBy: [...new Set([...(it.askedBy ?? []), user.id])] }));
  }

  return {
    async plan({ pull }) {
      desk.refresh(pull.number);
      return 'Planned again; tags of images were looked up anew.';
    },
    async preview(asked, revision) {
      const allowed = allowedHead(asked, revision);
      await records.change(asked.pull, (it) => ({
        ...it,
        allowedHead: allowed,
        previewStopped: false,
        pushedAt: deps.now(),
      }));
      return `A preview of ${allowed.slice(0, 10)} is made.`;
    },
    async destroy({ pull }) {
      await records.change(pull, (it) => ({ ...it, previewStopped: true }));
      return 'The preview is taken away; /slipway preview makes one again.';
    },
    async promote(asked, source, target) {
      const by = actorOf(asked.user);
      const { landed, summary } = await promote(deps.landing, { src: source, dst: target, by }, asked.signal);
      if (landed.kind === 'branch' && landed.pull !== null) await rememberAsker(landed.pull.number, asked);
      return summary;
    },
  };
}

/** The head that may be previewed: for strangers' code exactly the one that somebody looked at and named. */
function allowedHead({ pull, settings }: Asked, revision: Revision | null): Revision {
  const { head, state } = pull;
  if (state !== 'open') throw new Refused('The pull request is not open.');
  if (settings.previews.source === null)
    throw new Refused('There are no previews: [previews] source in slipway.toml of the tracked branch names none.');
  if (revision === null && isFork(pull))
    throw new Refused(
      `It comes from another repository: look at what it would run, then write /slipway preview ${head.revision}`,
    );
  if (revision !== null && revision !== head.revision)
    throw new Refused(`The head is ${head.revision} now, and not ${revision}.`);
  return head.revision;
}
