/** Says a model on the forge and remembers that it did, so that the next look says only what is new. */
import { isFork, type Pull, type PullRecord } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import type { CommentModel, PreviewView } from '../comment/model.ts';
import type { Forge } from '../forge/port.ts';
import { environmentOf, type Frame, shownBefore } from './models.ts';
import { type Published, publish, publishUntouched } from './publish.ts';
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

/**
 * The namespace's comment and status say what the model says.
 *
 * @param sharesHead an open pull request has the same head: the status is its own
 * @param desiredDigest of what the merge result says of it; null: stays as remembered
 */
export async function say(
  deps: SayDeps,
  frame: Frame,
  model: CommentModel,
  desiredDigest: string | null,
  signal: AbortSignal,
  { sharesHead = false } = {},
): Promise<void> {
  const { pull, record } = frame;
  const { namespace } = model;
  const said = record.namespaces[namespace] ?? NOTHING_SAID;
  const plans = shownBefore(said.plans, model, deps.now());
  // Before anybody can agree to it.
  if (model.outcome.kind === 'planned') await keepShownPlan(deps.store.bucket('pulls'), model.outcome.plan);
  const update = (published: Partial<Published>) =>
    remember(deps, pull, namespace, (it) => ({
      ...it,
      ...published,
      plans,
      desiredDigest: desiredDigest ?? it.desiredDigest,
    }));
  const after = await publish(
    deps,
    { model, before: said, sharesHead, onComment: async (comment) => await update({ comment }) },
    signal,
  );
  await update(after);
  deps.trace?.('pull:remembered');
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
  const { status } = await publishUntouched(deps, { namespace, head, before }, signal);
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
