/**
 * The head: the first screen of a comment, which is never cut. Pure.
 *
 * Each foreign text in it is bounded in bytes and each list in entries, so that all of it stays below HEAD_MOST_BYTES.
 */
import type { AgreementKind } from '../../schemas/consent.ts';
import type { Plan } from '../../schemas/plan.ts';
import { AGREEMENTS, shortId } from '../consent/needs.ts';
import { fence, shortCode, shortProse } from '../plan/bounds.ts';
import { codeSpan, prose } from '../plan/foreign.ts';
import { factsTable } from './facts.ts';
import { commitLink } from './links.ts';
import { detailsOf, markerOf } from './marker.ts';
import type { CommentModel } from './model.ts';
import { verdictOf } from './verdict.ts';

/** No head is longer, whatever the model holds; a test holds it. */
export const HEAD_MOST_BYTES = 30_000;

const LINES_SHOWN = 7;
const LINE_BYTES = 360;

/** From the marker to the first section, without a newline at the end. */
export function headText(model: CommentModel): string {
  const { sign, words } = verdictOf(model);
  const plan = model.outcome.kind === 'planned' ? model.outcome.plan : null;
  const waiting = plan !== null && !model.closed && (model.merged?.deploy ?? null) === null;
  const blocks = [
    [markerOf(model), detailsOf({ head: model.head, base: model.base, plan: plan?.id ?? null })],
    [`### ${sign} ${prose(model.namespace)}: ${shortProse(words)}`],
    factsTable(model),
    ...whyNoPlan(model),
    ...failureBlock(model),
    ...reviewedBlock(model),
    ...(waiting ? model.missing.map((it) => missingBlock(it, plan)) : []),
    ...(waiting ? [list('Will not run by itself', model.obstacles)] : []),
    ...(plan === null || model.closed ? [] : [list('Cannot be undone', plan.destructive)]),
    previewBlock(model),
    list('Notes', [...(model.merged === null || model.merged.note === '' ? [] : [model.merged.note]), ...model.notes]),
    ...commandBlock(model),
  ];
  return blocks
    .map((it) => it.join('\n'))
    .filter((it) => it !== '')
    .join('\n\n');
}

function whyNoPlan({ outcome, base, baseBranch, webUrl }: CommentModel): string[][] {
  switch (outcome.kind) {
    case 'conflict':
      return [
        [
          `Git cannot merge it into ${shortCode(baseBranch)} at ${commitLink(webUrl, base)}: resolve the conflict and push, and it is planned again.`,
        ],
      ];
    case 'unclear':
      return [[shortProse(outcome.why, 800)]];
    case 'unavailable':
      return [[shortProse(outcome.why, 800)], ['Nothing is changed for it; it is tried again.']];
    case 'invalid':
    case 'refused':
    case 'planned':
      return [];
  }
}

function failureBlock({ merged }: CommentModel): string[][] {
  const failure = merged?.deploy?.failure ?? null;
  if (failure === null) return [];
  return [[`**What failed** (${shortCode(failure.code)}): ${shortProse(failure.message, 1_200)}`]];
}

function reviewedBlock({ reviewed, outcome, webUrl }: CommentModel): string[][] {
  if (reviewed === undefined || reviewed === null || outcome.kind !== 'planned') return [];
  const over = (release: number | null) => (release === null ? 'nothing live' : `release ${release}`);
  const was = `${codeSpan(shortId(reviewed.plan))} of ${commitLink(webUrl, reviewed.head)} over ${over(reviewed.release)}`;
  const now = `${codeSpan(shortId(outcome.plan.id))} over ${over(outcome.plan.basis.release)}`;
  return [[`**Not the plan that was reviewed.** That was ${was}; what would run now is ${now}.`]];
}

/** Kind → how it is given. */
const HOW = {
  approval: { how: 'Who may approve it writes this as a comment of its own:', prefix: '/slipway' },
  consent: { how: 'Who may consent does it where the `slipway` command is:', prefix: 'slipway' },
} as const satisfies Record<AgreementKind, { how: string; prefix: string }>;

function missingBlock(kind: AgreementKind, plan: Plan): string[] {
  const { how, prefix } = HOW[kind];
  const reasons = kind === 'consent' ? plan.consents : plan.approvals;
  return [
    ...list(`Waits for ${kind}`, reasons),
    '',
    how,
    '',
    '```',
    `${prefix} ${AGREEMENTS[kind].command} ${shortId(plan.id)}`,
    '```',
  ];
}

function previewBlock({ previewOnRequest }: CommentModel): string[] {
  if (previewOnRequest === undefined || previewOnRequest === null) return [];
  return [
    'It comes from another repository: it is planned, and nothing of it runs before the merge. Who looked at it and may start previews lets exactly this head run by a comment of its own:',
    '',
    '```',
    `/slipway preview ${previewOnRequest}`,
    '```',
  ];
}

function commandBlock({ command }: CommentModel): string[][] {
  if (command === null) return [];
  const sign = command.ok ? '✅' : '❌';
  const about = `${sign} ${shortCode(command.command, 200)} by ${shortCode(command.by)}`;
  const lines = command.text.split('\n');
  if (lines.length === 1) return [[`${about}: ${shortProse(command.text, 1_200)}`]];
  return [[`${about}:`], [...fence(lines, { maxLines: 40, maxBytes: 4_000 })]];
}

function list(title: string, texts: readonly string[]): string[] {
  if (texts.length === 0) return [];
  const more = texts.length - LINES_SHOWN;
  return [
    `**${title}**`,
    '',
    ...texts.slice(0, LINES_SHOWN).map((it) => `- ${shortProse(it, LINE_BYTES)}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
}
