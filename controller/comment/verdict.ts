/** The verdict: what a comment comes to in a few words, and the status that says the same. Pure. */
import type { Deploy, DeployState } from '../../schemas/deploy.ts';
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { shortId } from '../consent/needs.ts';
import { shortPlain } from '../plan/bounds.ts';
import { effectsOf } from '../plan/effects.ts';
import { failureText } from '../plan/failure-text.ts';
import { count } from '../plan/plan-sections.ts';
import { durationText } from '../plan/show.ts';
import type { CommentHead, CommentModel } from './model.ts';

/** `words` and `why` are plain text and may hold a stranger's. `why` left out: `words` say it all. */
export interface Verdict {
  readonly sign: string;
  readonly words: string;
  readonly why?: string;
  readonly state: CommentHead['state'];
}

const DESCRIPTION_LENGTH = 140;
const WORDS_LENGTH = 110;

type Outcome = CommentModel['outcome'];

/** What a status or a check run of the comment says. */
export function headOf(model: CommentModel): CommentHead {
  const { sign, words, state, why } = verdictOf(model);
  const plan = model.outcome.kind === 'planned' ? model.outcome.plan : null;
  const more = why ?? (plan !== null && hasChanges(plan) && !ended(model) ? inShort(plan) : '');
  return {
    verdict: `${sign} ${words}`,
    state,
    description: shortPlain(more === '' ? words : `${words}: ${more}`, DESCRIPTION_LENGTH),
    planId: plan?.id ?? null,
  };
}

/** What the comment comes to. */
export function verdictOf(model: CommentModel): Verdict {
  const { merged, closed } = model;
  const deploy = merged?.deploy ?? null;
  if (deploy !== null) return deployVerdict(deploy);
  if (merged !== null) return mergedVerdict(model);
  // Never a success: another pull request may have the same head.
  if (closed) return { sign: '⚪', words: 'closed, nothing is deployed', state: 'pending' };
  return openVerdict(model);
}

function ended({ merged, closed }: CommentModel): boolean {
  return closed || (merged?.deploy ?? null) !== null;
}

function openVerdict(model: CommentModel): Verdict {
  const { outcome, problems } = model;
  if (outcome.kind !== 'planned') return noPlan(outcome, model);
  if (problems.length > 0) return invalid(model);
  if (!hasChanges(outcome.plan)) return { sign: '✅', words: 'no changes', state: 'success' };
  const care = careOf(outcome.plan);
  if (model.missing.length > 0) return { sign: '⚠️', words: waiting(model, care), state: 'pending' };
  if (model.obstacles.length > 0) return { sign: '⚠️', words: 'will not run by itself', state: 'pending' };
  if (care !== '') return { sign: '⚠️', words: `ready to merge, ${care}`, state: 'success' };
  return { sign: '✅', words: 'ready to merge', state: 'success' };
}

/** What a reviewer must not overlook in a plan that may run. */
function careOf(plan: Plan): string {
  if (plan.kind === 'remove') return 'removes the namespace';
  const { remove } = effectsOf(plan).changes;
  const parts = [
    ...(remove > 0 ? [`removes ${count(remove, 'service')}`] : []),
    ...(plan.downtime.class === 'none' ? [] : [`with downtime of ${count(plan.downtime.services.length, 'service')}`]),
  ];
  return parts.join(', ');
}

function mergedVerdict(model: CommentModel): Verdict {
  const { outcome, problems } = model;
  if (outcome.kind === 'conflict' || outcome.kind === 'unclear')
    return { sign: '⏳', words: 'merged, the deploy has not begun', state: 'pending' };
  if (outcome.kind !== 'planned') return prefixed(noPlan(outcome, model));
  if (problems.length > 0) return prefixed(invalid(model));
  if (!hasChanges(outcome.plan)) return { sign: '✅', words: 'merged, no changes', state: 'success' };
  if (model.missing.length > 0) return prefixed(openVerdict(model));
  if (model.obstacles.length > 0) return prefixed(openVerdict(model));
  return { sign: '⏳', words: 'merged, the deploy has not begun', state: 'pending' };
}

function prefixed(verdict: Verdict): Verdict {
  return { ...verdict, words: `merged, ${verdict.words}` };
}

function noPlan(outcome: Exclude<Outcome, { kind: 'planned' }>, model: CommentModel): Verdict {
  switch (outcome.kind) {
    case 'conflict':
      return { sign: '❌', words: 'conflicts with the base branch', state: 'failure' };
    case 'unclear':
      return { sign: '⚠️', words: 'cannot be planned: the merge result is not clear', state: 'error' };
    case 'invalid':
      return invalid(model);
    case 'unavailable':
      return { sign: '⏳', words: 'cannot be planned now, and is tried again', state: 'pending' };
    case 'refused': {
      const [first] = outcome.failures;
      const refused = { sign: '❌', words: 'cannot be deployed', state: 'failure' } as const;
      return first === undefined ? refused : { ...refused, why: failureText(first) };
    }
  }
}

function invalid({ problems }: CommentModel): Verdict {
  return {
    sign: '❌',
    words: `${problems.length === 0 ? 'problems' : count(problems.length, 'problem')} in the manifests`,
    state: 'failure',
  };
}

/** State → verdict; a status stays pending while there is more to come. */
const DEPLOYS = {
  planning: (it) => ({ sign: '⏳', words: `deploying: ${phaseWords(it)}`, state: 'pending' }),
  applying: (it) => ({ sign: '⏳', words: `deploying: ${phaseWords(it)}`, state: 'pending' }),
  committed: (it) => ({ sign: '⏳', words: `${liveWords(it)}, what it replaces is going`, state: 'pending' }),
  done: (it) => ({ sign: '✅', words: liveWords(it), state: 'success' }),
  'cleanup-pending': (it) => ({
    sign: '⚠️',
    words: `${liveWords(it)}, something it replaces could not go yet`,
    state: 'success',
  }),
  failed: (it) => ({ sign: '❌', words: 'deploy failed', ...whyOf(it), state: 'failure' }),
  'failed-after-checkpoint': (it) => ({
    sign: '❌',
    words: 'deploy failed, a part of it is live',
    ...whyOf(it),
    state: 'failure',
  }),
  superseded: () => ({ sign: '⚠️', words: 'superseded by a newer revision', state: 'error' }),
  aborted: () => ({ sign: '❌', words: 'deploy aborted', state: 'error' }),
} as const satisfies Record<DeployState, (deploy: Deploy) => Verdict>;

function deployVerdict(deploy: Deploy): Verdict {
  const verdict: Verdict = DEPLOYS[deploy.state](deploy);
  return { ...verdict, words: shortPlain(verdict.words, WORDS_LENGTH) };
}

function liveWords({ kind, releases }: Deploy): string {
  if (kind === 'remove') return 'removed';
  const n = releases.at(-1);
  return n === undefined ? 'live' : `live as release ${n}`;
}

function phaseWords({ phase, phases }: Deploy): string {
  const title = phases[phase];
  return title === undefined ? 'it begins' : `phase ${phase + 1} of ${phases.length}, ${title}`;
}

function whyOf({ failure }: Deploy): Pick<Verdict, 'why'> {
  return failure === null ? {} : { why: failure.message };
}

function waiting({ missing }: CommentModel, care: string): string {
  return `waits for ${missing.join(' and ')}${care === '' ? '' : `, ${care}`}`;
}

function inShort(plan: Plan): string {
  const { changes } = effectsOf(plan);
  const parts = (['create', 'update', 'remove'] as const).filter((it) => changes[it] > 0);
  const counts =
    parts.length === 0 ? 'nothing of the services' : parts.map((it) => `${changes[it]} to ${it}`).join(', ');
  const { services } = plan.downtime;
  const worstMs = services.reduce((most, it) => Math.max(most, it.worstMs), 0);
  const downtime = services.length === 0 ? 'no downtime' : `downtime at worst ${durationText(worstMs)}`;
  return `${counts}; ${downtime}; plan ${shortId(plan.id)}`;
}
