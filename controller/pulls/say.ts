/** Says a model on the forge and remembers that it did, so that the next look says only what is new. */
import { isFork, type Pull, type PullRecord } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import type { CommentModel, PreviewView } from '../comment/model.ts';
import type { Forge } from '../forge/port.ts';
import { environmentOf, type Frame, shownBefore } from './models.ts';
import { publishComment, publishUntouched, publishVerdict } from './publish.ts';
import type { PullRecords } from './records.ts';
import { keepShownPlan } from './shown-plans.ts';

export interface SayDeps {
  readonly forge: Forge;
  readonly records: PullRecords;
  readonly store: Pick<Store, 'bucket'>;
  /** ISO time. */
  readonly now: () => string;
  readonly trace?: (point: string) => void;
}

type Said = PullRecord['namespaces'][string];

const NOTHING_SAID: Said = { comment: null, status: null, plans: [], desiredDigest: null };

const ENVIRONMENT_STATE = {
  starting: 'in_progress',
  'waiting-for-image': 'in_progress',
  running: 'success',
  failed: 'failure',
  removing: 'inactive',
  removed: 'inactive',
  refused: null,
} as const satisfies Record<PreviewView['state'], string | null>;

/** Says by the status what the comment says. */
export type SayVerdict = (args?: { readonly sharesHead?: boolean }) => Promise<void>;

/**
 * The namespace's comment says what the model says; what is given back says the same by the status. Comments come first:
 * people wait for them, and forges want pauses between writes. With `sharesHead` (an open pull request has the same head)
 * the status is left to that one.
 *
 * @param desiredDigest of what the merge result says of it; null: stays as remembered
 */
export async function say(
  deps: SayDeps,
  frame: Frame,
  model: CommentModel,
  desiredDigest: string | null,
  signal: AbortSignal,
): Promise<SayVerdict> {
  const { pull, record } = frame;
  const { namespace } = model;
  const said = record.namespaces[namespace] ?? NOTHING_SAID;
  const plans = shownBefore(said.plans, model, deps.now());
  // Before anybody can agree to it.
  if (model.outcome.kind === 'planned')
    await keepShownPlan(deps.store.bucket('pulls'), model.outcome.plan, { pull: pull.number, fork: isFork(pull) });
  const comment = await publishComment(deps, { model, before: said.comment }, signal);
  await remember(deps, pull, namespace, (it) => ({
    ...it,
    comment,
    plans,
    desiredDigest: desiredDigest ?? it.desiredDigest,
  }));
  deps.trace?.('pull:remembered');
  return async ({ sharesHead = false } = {}) => {
    const status = sharesHead ? null : await publishVerdict(deps, { model, comment, before: said.status }, signal);
    await remember(deps, pull, namespace, (it) => ({ ...it, status }));
  };
}

/** The status of a namespace that the pull request leaves alone. */
export async function sayUntouched(
  deps: SayDeps,
  frame: Frame,
  namespace: NamespaceName,
  signal: AbortSignal,
): Promise<void> {
  const { pull, record } = frame;
  const before = record.namespaces[namespace] ?? NOTHING_SAID;
  const head = pull.head.revision;
  const status = await publishUntouched(deps, { namespace, head, before: before.status }, signal);
  if (status !== before.status) await remember(deps, pull, namespace, (it) => ({ ...it, status }));
}

/** "View deployment" on the pull request. */
export async function sayEnvironment(
  deps: SayDeps,
  pull: Pull,
  preview: PreviewView | null,
  signal: AbortSignal,
): Promise<void> {
  const state = preview === null ? null : ENVIRONMENT_STATE[preview.state];
  if (preview === null || state === null) return;
  await deps.forge.setEnvironment(
    {
      environment: environmentOf(preview),
      branch: isFork(pull) ? null : pull.head.branch,
      revision: pull.head.revision,
      state,
      url: preview.state === 'running' ? (preview.urls[0]?.url ?? null) : null,
      description: preview.message,
    },
    signal,
  );
}

async function remember(
  { records }: SayDeps,
  pull: Pull,
  namespace: NamespaceName,
  change: (it: Said) => Said,
): Promise<void> {
  await records.change(pull, (it) => ({
    ...it,
    namespaces: { ...it.namespaces, [namespace]: change(it.namespaces[namespace] ?? NOTHING_SAID) },
  }));
}
