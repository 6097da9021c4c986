/**
 * What a hook delivery may mean: a hint, or why it is none. Pure, and never fails. A hint says where to look; everything
 * that is acted on is read again from git and the API.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { Hint } from '../../schemas/forge.ts';
import { Revision } from '../../schemas/names.ts';
import { type HookPayload, readPayload } from './hook-payload.ts';

/** Why a genuine delivery is none of our business. */
export const IGNORED = {
  PING: 'The hook works.',
  EVENT: 'Events of this kind mean nothing here.',
  ACTION: 'This action changes nothing here.',
  NOT_A_PULL: 'It is about an issue, not about a pull request.',
  BOT: 'Comments of bots are no commands.',
  TAG: 'Tags are not followed.',
  INCOMPLETE: 'What it is about is missing in it.',
} as const;
type Ignored = keyof typeof IGNORED;

export interface HookHint {
  readonly hint: Hint;
  readonly event: string;
  readonly action: string | null;
  readonly repositoryId: number | null;
  readonly revision: string | null;
  /** The same for every delivery that tells the same, whatever its id. */
  readonly twin: string;
}

/** `repositoryId` and `number` of what is ignored, so that one can tell whose it was. */
export interface IgnoredHook {
  readonly ignored: Ignored;
  readonly repositoryId: number | null;
  readonly number: number | null;
}

type Meaning = (payload: HookPayload) => Hint | Ignored;

const PULL_ACTIONS = [
  'opened',
  'reopened',
  'synchronize',
  'closed',
  'edited',
  'labeled',
  'unlabeled',
  'ready_for_review',
  'converted_to_draft',
];

const pull: Meaning = ({ pull_request: { number } }) => (number === null ? 'INCOMPLETE' : { kind: 'pull', number });
const all: Meaning = () => ({ kind: 'all' });
const push: Meaning = ({ ref }) => (ref?.startsWith('refs/tags/') === true ? 'TAG' : { kind: 'push' });

const comment: Meaning = ({ issue, comment: { id, user } }) => {
  if (issue.pull_request === null) return 'NOT_A_PULL';
  if (user.type === 'Bot') return 'BOT';
  return issue.number === null || id === null ? 'INCOMPLETE' : { kind: 'comment', number: issue.number, id };
};

const deletion: Meaning = ({ ref_type: type }) => (type === 'tag' ? 'TAG' : { kind: 'push' });

/** The pull request of a check run; a fork's names none, and a head can belong to several. */
const checkRun: Meaning = ({ check_run: { pull_requests: pulls } }) => {
  const number = pulls?.length === 1 ? pulls[0]?.number : null;
  return number === null || number === undefined ? { kind: 'all' } : { kind: 'pull', number };
};

/** By event and action; `*`: any action, also none. What is not here is ignored. */
const MEANINGS: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  ping: { '*': () => 'PING' },
  push: { '*': push },
  delete: { '*': deletion },
  pull_request: Object.fromEntries(PULL_ACTIONS.map((it) => [it, pull])),
  pull_request_review: { submitted: pull, dismissed: pull },
  issue_comment: { created: comment },
  check_run: { requested_action: checkRun, rerequested: checkRun },
  installation: { '*': all },
  installation_repositories: { '*': all },
  installation_target: { '*': all },
  repository: { renamed: all, transferred: all },
};

/**
 * @param event `X-GitHub-Event` @param delivery id of the delivery, which makes those alike different that do not say
 * when they happened
 */
export function hintsOf(args: {
  readonly event: string;
  readonly delivery: string;
  readonly payload: unknown;
}): HookHint | IgnoredHook {
  const payload = readPayload(args.payload);
  const { action, repository } = payload;
  const number = payload.pull_request.number ?? payload.issue.number;
  const meaning = meaningOf(args.event, action);
  const found = typeof meaning === 'string' ? meaning : meaning(payload);
  if (typeof found === 'string') return { ignored: found, repositoryId: repository.id, number };
  const revision = payload.pull_request.head.sha ?? payload.check_run.head_sha ?? payload.after;
  return {
    hint: found,
    event: args.event,
    action,
    repositoryId: repository.id,
    revision: Revision.safeParse(revision).success ? revision : null,
    twin:
      found.kind === 'comment'
        ? commentTwin(repository.id, found.id)
        : digestOf([
            repository.id,
            args.event,
            action,
            found,
            revision,
            ...particulars(args.event, payload, args.delivery),
          ]),
  };
}

/** The twin of a comment that was created, however one learnt of it: polling gives the same. */
export function commentTwin(repositoryId: number | null, id: number): string {
  return digestOf([repositoryId, 'comment', id]);
}

function meaningOf(event: string, action: string | null): Meaning | Ignored {
  if (!Object.hasOwn(MEANINGS, event)) return 'EVENT';
  const actions = MEANINGS[event] ?? {};
  const own = action !== null && Object.hasOwn(actions, action) ? actions[action] : undefined;
  return own ?? actions['*'] ?? 'ACTION';
}

/** What tells two genuine happenings apart: a pull request may be closed, opened and closed again at the same head. */
function particulars(event: string, payload: HookPayload, delivery: string): unknown[] {
  const { ref, before, label, review, check_run: run } = payload;
  return [ref, before, label.id, label.name, review.id, run.id, MOMENTS[event]?.(payload) ?? delivery];
}

/** When it happened, by event; of others nothing says that, so each is one of its own. */
const MOMENTS: Readonly<Record<string, (payload: HookPayload) => string | number | null>> = {
  push: ({ repository }) => repository.pushed_at,
  pull_request: ({ pull_request: pullRequest }) => pullRequest.updated_at,
  pull_request_review: ({ review }) => review.submitted_at,
};
