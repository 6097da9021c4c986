/** A pull request that was merged or closed: its preview goes, and what it merged is followed to the end. */
import type { Pull, PullRecord } from '../../schemas/forge.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { CommentModel, PreviewView } from '../comment/model.ts';
import { plannedDigest } from '../pass.ts';
import { desiredOf } from './affected.ts';
import { afterMerge, followedNamespaces } from './after-merge.ts';
import { assess, type Outcome, standing } from './assess.ts';
import { changesAsked, pokeWhenTakenBack } from './changes-asked.ts';
import type { DeskDeps, Look } from './desk.ts';
import { type Frame, modelOf, problemsOf } from './models.ts';
import type { TrackedTip } from './read-pull.ts';
import { type SayDeps, say, sayEnvironment } from './say.ts';
import { readShownPlan } from './shown-plans.ts';

type Deps = DeskDeps & SayDeps;

export async function lookAtMerged(deps: Deps, pull: Pull, { tip, asked }: Look, signal: AbortSignal): Promise<void> {
  const { records, repository, previews } = deps;
  const known = await records.get(pull.number);
  const preview = await previews.end(pull.number, 'the pull request was merged');
  if (known === null) return;
  const elsewhere = pull.base.branch !== repository.branch;
  const { mergeCommit } = pull;
  const arrived = !elsewhere && mergeCommit !== null && (await repository.contains(mergeCommit, tip.revision, signal));
  const record = await records.change(pull, (it) => (arrived ? followingFrom(it, mergeCommit, tip) : it));
  const frame = await frameOf(deps, { pull, record, tip }, signal);
  let over = elsewhere || arrived;
  for (const namespace of followedNamespaces(record)) {
    const shown = previewOf(frame, namespace, preview);
    if (elsewhere) {
      await sayEnded(
        deps,
        frame,
        { namespace, preview: shown, why: `Merged into ${pull.base.branch}, which deploys nothing.` },
        signal,
      );
    } else if (arrived) over = (await sayMerged(deps, frame, { namespace, preview: shown, asked }, signal)) && over;
  }
  await end(deps, pull, preview, over, signal);
}

export async function lookAtClosed(deps: Deps, pull: Pull, { tip }: Look, signal: AbortSignal): Promise<void> {
  const known = await deps.records.get(pull.number);
  const preview = await deps.previews.end(pull.number, 'the pull request was closed');
  if (known === null) return;
  const record = await deps.records.change(pull, (it) => ({ ...it, state: 'closed' }));
  const frame = await frameOf(deps, { pull, record, tip }, signal);
  for (const namespace of followedNamespaces(record)) {
    const shown = previewOf(frame, namespace, preview);
    await sayEnded(deps, frame, { namespace, preview: shown, why: 'Closed without a merge.' }, signal);
  }
  await end(deps, pull, preview, true, signal);
}

async function end(
  deps: Deps,
  pull: Pull,
  preview: PreviewView | null,
  over: boolean,
  signal: AbortSignal,
): Promise<void> {
  await sayEnvironment(deps, pull, preview, signal);
  const gone = preview === null || preview.state === 'removed' || preview.state === 'refused';
  if (over && gone) await deps.records.change(pull, (it) => ({ ...it, state: 'done' }));
}

/** The first time that the tracked branch has the merge, what it says then is what is followed. */
function followingFrom(record: PullRecord, mergeCommit: Revision | null, tip: TrackedTip): PullRecord {
  if (record.state === 'merged' || record.state === 'done') return record;
  const namespaces = Object.entries(record.namespaces).map(([name, it]) => [
    name,
    { ...it, desiredDigest: plannedDigest({ namespace: name, desired: desiredOf(tip.fleet, name) }) },
  ]);
  return { ...record, state: 'merged', mergeCommit, namespaces: Object.fromEntries(namespaces) };
}

/** @returns whether nothing more will happen to it by this merge */
async function sayMerged(
  deps: Deps,
  frame: Frame,
  args: {
    readonly namespace: NamespaceName;
    readonly preview: PreviewView | null;
    readonly asked: Map<string, string>;
  },
  signal: AbortSignal,
): Promise<boolean> {
  const { tip, pull, record } = frame;
  const { namespace, preview } = args;
  const followed = record.namespaces[namespace]?.desiredDigest ?? null;
  const after = await afterMerge(deps, { namespace, tip, followed });
  const ran =
    after.deploy === null ? null : await readShownPlan(deps.store.bucket('pulls'), namespace, after.deploy.planId);
  const outcome: Outcome =
    after.state === 'superseded'
      ? { kind: 'unclear', why: after.note }
      : // Made again it would say that there is nothing to do.
        ran !== null && after.state !== 'failed'
        ? { kind: 'planned', plan: ran }
        : await assess(deps, {
            pull: pull.number,
            namespace,
            fleet: tip.fleet,
            revision: tip.revision,
            tip,
            refresh: false,
          });
  const plan = outcome.kind === 'planned' ? outcome.plan : null;
  const sentences = after.over ? [] : await changesAsked(deps, frame, namespace, signal);
  pokeWhenTakenBack(deps, args.asked, { number: pull.number, namespace, sentences });
  const held = await standing(deps, namespace, plan);
  const model = modelOf(frame, {
    namespace,
    outcome,
    preview,
    problems: problemsOf({ namespace, tip, fleet: tip.fleet, settingsProblems: [] }),
    standing: { ...held, obstacles: [...held.obstacles, ...sentences] },
    notes: [],
    merged: { revision: pull.mergeCommit, deploy: after.deploy, note: after.note },
    reviewed: after.state === 'failed' ? anotherThanShown(record, plan) : null,
  });
  const sayVerdict = await say(deps, frame, model, null, signal);
  await sayVerdict();
  return after.over;
}

/** The plan that was shown last, if it is not this one over the same release. */
function anotherThanShown(record: PullRecord, plan: Plan | null): NonNullable<CommentModel['reviewed']> | null {
  const shown = plan === null ? undefined : record.namespaces[plan.namespace]?.plans.at(-1);
  if (shown === undefined || plan === null) return null;
  return shown.plan === plan.id && shown.release === plan.basis.release ? null : shown;
}

async function sayEnded(
  deps: Deps,
  frame: Frame,
  args: { readonly namespace: NamespaceName; readonly preview: PreviewView | null; readonly why: string },
  signal: AbortSignal,
): Promise<void> {
  const { why, ...own } = args;
  const model: CommentModel = modelOf(frame, {
    ...own,
    outcome: { kind: 'unclear', why },
    problems: [],
    standing: await standing(deps, args.namespace, null),
    notes: [],
    closed: true,
  });
  const sayVerdict = await say(deps, frame, model, null, signal);
  await sayVerdict({ sharesHead: await sharesHead(deps, frame) });
}

/** Whether another pull request is open from the same commit, such as into another branch. */
async function sharesHead({ records }: Deps, { pull }: Frame): Promise<boolean> {
  const { number, head } = pull;
  return (await records.list()).some((it) => it.number !== number && it.state === 'open' && it.head === head.revision);
}

async function frameOf(
  { forge, installation, repository }: Deps,
  args: Pick<Frame, 'pull' | 'record' | 'tip'>,
  signal: AbortSignal,
): Promise<Frame> {
  const { webUrl } = await forge.identity(signal);
  return { ...args, installation, webUrl, trackedBranch: repository.branch };
}

/** The preview is shown with the namespace that it was forked from. */
function previewOf({ tip }: Frame, namespace: NamespaceName, preview: PreviewView | null): PreviewView | null {
  return namespace === tip.settings.previews.source ? preview : null;
}
