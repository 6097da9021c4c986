/** Models of comments: what was read, assessed and remembered, put together. Pure but for what it is given. */
import type { Pull, PullRecord, ShownPlan } from '../../schemas/forge.ts';
import { isFork } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import type { CommentModel, PreviewView } from '../comment/model.ts';
import { headOf } from '../comment/verdict.ts';
import type { FleetManifests } from '../fleet-manifests.ts';
import type { Outcome, Standing } from './assess.ts';
import type { PullReading, TrackedTip } from './read-pull.ts';

/** More than a comment shows are not kept. */
const PLANS_KEPT = 10;

/** What is the same in every comment of a pull request. */
export interface Frame {
  readonly installation: string;
  readonly webUrl: string;
  readonly pull: Pull;
  readonly record: PullRecord;
  readonly tip: TrackedTip;
  readonly trackedBranch: string;
}

/** One comment's model. */
export function modelOf(
  frame: Frame,
  args: {
    readonly namespace: NamespaceName;
    readonly outcome: Outcome;
    readonly problems: readonly Problem[];
    readonly standing: Standing;
    readonly preview: PreviewView | null;
    readonly notes: readonly string[];
  } & Partial<Pick<CommentModel, 'merged' | 'closed' | 'reviewed'>>,
): CommentModel {
  const { pull, record, tip } = frame;
  const { standing, ...own } = args;
  return {
    installation: frame.installation,
    pull: pull.number,
    head: pull.head.revision,
    base: tip.revision,
    baseBranch: frame.trackedBranch,
    history: earlier(record.namespaces[args.namespace]?.plans ?? [], args.outcome, pull).toReversed(),
    command: record.command,
    webUrl: frame.webUrl,
    showEnv: tip.settings.comments.showEnv,
    previewOnRequest: mayAskForPreview(frame) ? pull.head.revision : null,
    merged: null,
    closed: false,
    ...own,
    ...standing,
  };
}

/** Plans before the one that is shown now, which is remembered as the last of them once it was shown. */
function earlier(plans: readonly ShownPlan[], outcome: Outcome, pull: Pull): readonly ShownPlan[] {
  if (outcome.kind !== 'planned') return plans;
  const last = plans.at(-1);
  const isThis = last?.plan === outcome.plan.id && last.head === pull.head.revision;
  return isThis && last.release === outcome.plan.basis.release ? plans.slice(0, -1) : plans;
}

/** A fork's pull request of which nobody looked at this head yet. */
function mayAskForPreview({ pull, record, tip }: Frame): boolean {
  const { source } = tip.settings.previews;
  return source !== null && pull.state === 'open' && isFork(pull) && record.allowedHead !== pull.head.revision;
}

/** Sentences about the pull request itself. */
export function notesOf(frame: Pick<Frame, 'pull' | 'trackedBranch'>, reading: PullReading): string[] {
  const { pull, trackedBranch } = frame;
  const notes: string[] = [];
  if (pull.base.branch !== trackedBranch) {
    notes.push(
      `This pull request goes into ${pull.base.branch}, and merging it there deploys nothing; shown is what would happen once all of it is on ${trackedBranch}.`,
    );
  }
  if (reading.merge.kind === 'merged' && reading.merge.changesSettings) {
    notes.push(
      `It changes slipway.toml: this plan is made with the settings of ${trackedBranch}, and the new ones hold after the merge.`,
    );
  }
  return notes;
}

/** The plans shown, with this one; the same one over the same release is not listed twice. */
export function shownBefore(plans: readonly ShownPlan[], model: CommentModel, at: string): ShownPlan[] {
  const { planId, verdict } = headOf(model);
  // After the merge it is the deploy that is shown; the plans before it stay as they were.
  if (planId === null || model.merged !== null) return [...plans];
  const release = model.outcome.kind === 'planned' ? model.outcome.plan.basis.release : null;
  const own: ShownPlan = { plan: planId, head: model.head, base: model.base, release, verdict, at };
  const last = plans.at(-1);
  if (last !== undefined && last.plan === planId && last.head === own.head && last.release === release)
    return [...plans];
  return [...plans, own].slice(-PLANS_KEPT);
}

/** Problems that belong to a namespace's comment: those of its files, and those of slipway.toml. */
export function problemsOf(args: {
  readonly namespace: NamespaceName;
  readonly tip: TrackedTip;
  readonly fleet: Pick<FleetManifests, 'problems'>;
  readonly settingsProblems: readonly Problem[];
}): Problem[] {
  const isOf = filesOf(args.namespace, args.tip);
  return [...args.settingsProblems, ...args.fleet.problems.filter((it) => isOf(it.file))];
}

/** Whether a file of the repository belongs to the namespace: its manifest, its lock, or a file of its folder. */
export function filesOf(namespace: NamespaceName, tip: TrackedTip): (file: string) => boolean {
  const folder = tip.settings.source.manifests.replace(/^\.\/|\/+$/g, '');
  const prefix = folder === '' || folder === '.' ? namespace : `${folder}/${namespace}`;
  return (file) => file.startsWith(`${prefix}.`) || file.startsWith(`${prefix}/`);
}

/** The environment that the forge lists a preview under. */
export function environmentOf(preview: Pick<PreviewView, 'namespace'>): string {
  return `preview/${preview.namespace}`;
}
