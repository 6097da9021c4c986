/** Sections of a comment below its head, in the order in which they are read. Pure. */
import type { Deploy, DeployState } from '../../schemas/deploy.ts';
import type { ShownPlan } from '../../schemas/forge.ts';
import type { Problem } from '../../schemas/problem.ts';
import type { Evidence } from '../../schemas/step.ts';
import { shortId } from '../consent/needs.ts';
import { fence, shortCode, shortProse } from '../plan/bounds.ts';
import { codeSpan, tableRow } from '../plan/foreign.ts';
import { count, foldable, planSections } from '../plan/plan-sections.ts';
import { type Entry, listing, moreLine, type Section } from '../plan/section.ts';
import { commitLink, instant, problemLink } from './links.ts';
import type { CommentModel } from './model.ts';

/** Who gets room first; what a plan says has its ranks from 20 on, its fields 70. */
const RANKS = { evidence: 0, refusals: 2, conflict: 4, problems: 6, progress: 10, history: 60 } as const;

const EVIDENCE_SHOWN = 10;

/** All sections; those without entries are left out when they are written. */
export function sectionsOf(model: CommentModel): Section[] {
  const { outcome, history, webUrl, showEnv } = model;
  const deploy = model.merged?.deploy ?? null;
  const earlier = historySection(history, webUrl);
  if (model.closed) return [earlier];
  return [
    ...(deploy === null ? [] : [evidenceSection(deploy), progressSection(deploy)]),
    ...(outcome.kind === 'conflict' ? [conflictSection(outcome.files)] : []),
    ...(outcome.kind === 'refused' ? [refusalSection(outcome.failures)] : []),
    problemsSection(model),
    ...(outcome.kind === 'planned' ? planSections(outcome.plan, { showEnv }) : []),
    earlier,
  ];
}

function evidenceSection({ failure }: Deploy): Section {
  const all = failure?.evidence ?? [];
  const entries = all.slice(0, EVIDENCE_SHOWN).map((it) => ({ text: evidenceText(it).join('\n') }));
  return {
    title: '**Evidence**',
    folded: false,
    rank: RANKS.evidence,
    entries,
    more: (left) => moreLine(left + all.length - entries.length),
  };
}

function evidenceText({ slot, reason, exitCode, lastProbe, logs }: Evidence): string[] {
  const facts = [
    shortProse(reason, 600),
    ...(exitCode === null ? [] : [`exit code ${exitCode}`]),
    ...(lastProbe === null ? [] : [`last probe ${shortCode(lastProbe, 400)}`]),
  ];
  const output = logs.length === 0 ? [] : ['', ...fence(logs)];
  return [`${shortCode(slot)}: ${facts.join(', ')}`, ...output, ''];
}

/** How far a deploy is that is under way or did not get to its end; `now` null: nowhere, it is over. */
const NOW = {
  planning: '⏳',
  applying: '⏳',
  committed: null,
  done: null,
  'cleanup-pending': null,
  failed: '❌',
  'failed-after-checkpoint': '❌',
  superseded: '⚠️',
  aborted: '❌',
} as const satisfies Record<DeployState, string | null>;

function progressSection({ state, phases, phase }: Deploy): Section {
  const now = NOW[state];
  const lines = phases.map((title, index) => {
    const sign = index < phase ? '✅' : index === phase ? now : '⬜';
    return `${sign} ${shortProse(title)}`;
  });
  return foldable('Progress', 'phases', now === null ? [] : lines, RANKS.progress);
}

function conflictSection(files: readonly string[]): Section {
  const lines = files.map((it) => shortCode(it, 300));
  return foldable('Conflicts', 'files conflict', lines, RANKS.conflict);
}

function refusalSection(failures: readonly { code: string; service: string | null; message: string }[]): Section {
  const lines = failures.map(
    ({ code, service, message }) =>
      `${service === null ? '' : `${shortCode(service)}: `}${shortProse(message, 1_000)} (${codeSpan(code)})`,
  );
  return foldable('Why not', 'reasons why not', lines, RANKS.refusals);
}

function problemsSection({ problems, head, webUrl }: CommentModel): Section {
  const text = (it: Problem) => {
    const path = it.path === '' ? '' : ` ${shortCode(it.path, 200)}`;
    const hint = it.hint === undefined ? '' : ` (${shortProse(it.hint, 300)})`;
    return `${problemLink(webUrl, head, it)}${path}: ${shortProse(it.message, 600)}${hint}`;
  };
  return foldable('Problems', 'problems', problems.map(text), RANKS.problems);
}

function historySection(history: readonly ShownPlan[], webUrl: string): Section {
  const entries = history.map(
    ({ plan, head, base, release, verdict, at }): Entry => ({
      text: tableRow([
        instant(at),
        `${commitLink(webUrl, head)} → ${commitLink(webUrl, base)}`,
        release === null ? 'nothing' : `release ${release}`,
        codeSpan(shortId(plan)),
        shortProse(verdict),
      ]),
    }),
  );
  return {
    ...listing('', [], { folded: true, rank: RANKS.history }),
    title: count(history.length, 'earlier plan'),
    opening: [
      tableRow(['when', 'head → base', 'live then', 'plan', 'verdict']),
      tableRow(Array<string>(5).fill('---')),
    ],
    entries,
    more: (left) => tableRow([`and ${left} more`, '', '', '', '']),
  };
}
