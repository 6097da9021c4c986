/** An open pull request: its plan for every namespace that it changes, and its preview. */
import { isFork, type Pull, type PullRecord } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { PreviewView } from '../comment/model.ts';
import { plannedDigest } from '../pass.ts';
import type { PreviewWish } from '../previews/port.ts';
import { PROMOTION_BRANCHES } from '../promotion/land.ts';
import { affectedBy, desiredOf } from './affected.ts';
import { followedNamespaces } from './after-merge.ts';
import { assess, type Outcome, standing } from './assess.ts';
import { changesAsked } from './changes-asked.ts';
import type { DeskDeps, Look } from './desk.ts';
import { type Frame, filesOf, modelOf, notesOf, problemsOf } from './models.ts';
import { type PullReading, readPull, type TrackedTip } from './read-pull.ts';
import { type SayDeps, type SayVerdict, say, sayEnvironment, sayUntouched } from './say.ts';

/** A pull request that leaves more namespaces alone than this gets statuses for the first ones only. */
const MOST_UNTOUCHED = 50;

export async function lookAtOpen(
  deps: DeskDeps & SayDeps,
  pull: Pull,
  { tip, refresh }: Look,
  signal: AbortSignal,
): Promise<void> {
  const [{ webUrl }, reading] = await Promise.all([deps.forge.identity(signal), readPull(deps, { pull, tip }, signal)]);
  const { merge } = reading;
  deps.trace?.('pull:read');
  const record = await deps.records.change(pull, (it) => atHead(it, reading.head, deps.now()));
  const wish: PreviewWish = {
    pull,
    settings: tip.settings,
    fleet: merge.kind === 'merged' ? merge.fleet : null,
    revision: merge.kind === 'merged' ? merge.revision : reading.head,
    allowedHead: record.allowedHead,
    stopped: record.previewStopped,
    pushedAt: record.pushedAt,
  };
  const preview = isPromotion(pull) ? null : await deps.previews.reconcile(wish);
  deps.trace?.('pull:preview');
  const frame: Frame = {
    installation: deps.installation,
    webUrl,
    pull,
    record,
    tip,
    trackedBranch: deps.repository.branch,
  };
  const { touched, untouched } = namespacesOf(reading, tip);
  const source = preview === null ? null : tip.settings.previews.source;
  const shown = [...new Set([...touched, ...followedNamespaces(record), ...(source === null ? [] : [source])])];
  const verdicts: SayVerdict[] = [];
  for (const namespace of shown.toSorted()) {
    const own = namespace === source ? preview : null;
    verdicts.push(await show(deps, { frame, reading, namespace, refresh, preview: own }, signal));
  }
  for (const sayVerdict of verdicts) await sayVerdict();
  await sayEnvironment(deps, pull, preview, signal);
  const quiet = untouched.filter((it) => !shown.includes(it)).slice(0, MOST_UNTOUCHED);
  for (const namespace of quiet) await sayUntouched(deps, frame, namespace, signal);
}

/** A promotion moves digests that run already: there is nothing new to try. */
function isPromotion(pull: Pull): boolean {
  return !isFork(pull) && pull.head.branch.startsWith(PROMOTION_BRANCHES);
}

/** What was allowed or shown for an earlier head is not for this one. */
function atHead(record: PullRecord, head: string, now: string): PullRecord {
  const open = { ...record, state: 'open' as const, mergeCommit: null };
  if (record.head === head) return open;
  // Allowed before anybody looked at it here.
  const allowedHead = record.allowedHead === head ? head : null;
  return { ...open, head, pushedAt: now, allowedHead };
}

/** The comment of a namespace; what is given back sets its status. */
async function show(
  deps: DeskDeps & SayDeps,
  args: {
    readonly frame: Frame;
    readonly reading: PullReading;
    readonly namespace: NamespaceName;
    readonly preview: PreviewView | null;
    readonly refresh: boolean;
  },
  signal: AbortSignal,
): Promise<SayVerdict> {
  const { frame, reading, namespace, preview, refresh } = args;
  const { tip, pull } = frame;
  const { merge } = reading;
  const outcome: Outcome =
    merge.kind === 'merged'
      ? await assess(deps, { pull: pull.number, namespace, fleet: merge.fleet, revision: merge.revision, tip, refresh })
      : merge;
  const plan = outcome.kind === 'planned' ? outcome.plan : null;
  const held = await standing(deps, namespace, plan);
  const model = modelOf(frame, {
    namespace,
    outcome,
    preview,
    problems: merge.kind === 'merged' ? problemsOf({ namespace, tip, ...merge }) : [],
    standing: { ...held, obstacles: [...held.obstacles, ...(await changesAsked(deps, frame, namespace, signal))] },
    notes: notesOf(frame, reading),
  });
  const desiredDigest =
    merge.kind === 'merged' ? plannedDigest({ namespace, desired: desiredOf(merge.fleet, namespace) }) : null;
  deps.log.debug({ pull: pull.number, namespace, outcome: outcome.kind }, 'a pull request was looked at');
  return await say(deps, frame, model, desiredDigest, signal);
}

/** Without a merge result: namespaces whose files conflict, else the first, so that somebody is told. */
function namespacesOf({ merge }: PullReading, tip: TrackedTip) {
  if (merge.kind === 'merged') return affectedBy(tip.fleet, merge.fleet);
  const all = tip.fleet.desired.map((it) => it.namespace).toSorted();
  const files = merge.kind === 'conflict' ? merge.files : [];
  const conflicting = all.filter((namespace) => files.some((file) => filesOf(namespace, tip)(file)));
  return { touched: conflicting.length > 0 ? conflicting : all.slice(0, 1), untouched: [] };
}
