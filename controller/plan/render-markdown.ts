/**
 * A plan as Markdown, for comments on pull requests and commits.
 *
 * Values of the environment are left out unless asked for: a comment reaches more people than the repository. Whatever
 * came from a manifest stands in code spans or is escaped: no mention, issue, link, image or HTML gets through.
 */
import { type Change, type FieldChange, hasChanges, type Plan } from '../../schemas/plan.ts';
import { shorten } from './candidates.ts';
import {
  commitWords,
  heading,
  imageWords,
  MARKS,
  placementReason,
  stepWords,
  summary,
  targetSlots,
} from './describe.ts';
import { ENV_PREFIX } from './fields.ts';
import { codeSpan, prose, tableRow } from './foreign.ts';
import { durationText } from './show.ts';

export interface MarkdownOptions {
  /** Values of `env`, and not only their names. */
  readonly showEnv?: boolean;
}

/** Lists longer than this are cut; the summary still counts everything. */
const ROWS_SHOWN = 100;
const STEPS_SHOWN = 30;

/** The plan as Markdown, without a newline at the end. */
export function renderMarkdown(plan: Plan, options: MarkdownOptions = {}): string {
  const sections = [
    [`### ${prose(heading(plan))}`],
    [prose(summary(plan))],
    listing('Needs consent', plan.consents.map(prose)),
    listing('Needs approval', plan.approvals.map(prose)),
    changeTable(plan),
    fieldLists(plan, options.showEnv ?? false),
    listing('Downtime', downtimeSentences(plan)),
    listing('Cannot be undone', plan.destructive.map(prose)),
    listing('Not certain', plan.warnings.map(prose)),
    hasChanges(plan) ? phaseList(plan) : ['No changes: what is live already is what is desired.'],
  ];
  return sections
    .filter((it) => it.length > 0)
    .map((it) => it.join('\n'))
    .join('\n\n');
}

function changeTable(plan: Plan): string[] {
  const changes = plan.changes.filter((it) => it.kind !== 'unchanged');
  if (changes.length === 0) return [];
  const specs = new Map(plan.services.map((it) => [it.name, it]));
  const slots = targetSlots(plan);
  const rows = changes.slice(0, ROWS_SHOWN).map((change) => {
    const spec = specs.get(change.service);
    const image = spec === undefined ? null : imageWords(spec);
    const where = (slots.get(change.service) ?? []).map((it) => codeSpan(`${it.slot} on ${it.machine}`));
    const why = spec === undefined || where.length === 0 ? '' : ` (${prose(placementReason(spec))})`;
    return tableRow([
      `${MARKS[change.kind]} ${changeWords(change)}`,
      codeSpan(change.service),
      image === null ? '' : `${codeSpan(image.name)} ${codeSpan(image.pinned)}`,
      `${shorten(where)}${why}`,
    ]);
  });
  const more = changes.length - rows.length;
  const rest = more > 0 ? [tableRow([`and ${more} more`, '', '', ''])] : [];
  return [tableRow(['change', 'service', 'image', 'slots']), tableRow(['---', '---', '---', '---']), ...rows, ...rest];
}

function changeWords(change: Change): string {
  if (change.kind !== 'update') return change.kind;
  return change.disruption === 'recreate' ? 'update, new instances' : 'update, in place';
}

function fieldLists(plan: Plan, showEnv: boolean): string[] {
  const lines = plan.changes.flatMap((change) =>
    change.kind === 'update' && change.fields.length > 0
      ? [`- ${codeSpan(change.service)}`, ...change.fields.map((it) => `  - ${fieldWords(it, showEnv)}`)]
      : [],
  );
  const more = lines.length - ROWS_SHOWN * 4;
  return more > 0 ? [...lines.slice(0, ROWS_SHOWN * 4), `- and ${more} lines more`] : lines;
}

function fieldWords({ path, before, after }: FieldChange, showEnv: boolean): string {
  if (!path.startsWith(ENV_PREFIX) || showEnv) return `${codeSpan(path)}: ${codeSpan(before)} → ${codeSpan(after)}`;
  const word = before === 'none' ? 'added' : after === 'none' ? 'removed' : 'changed';
  return `${codeSpan(path)} ${word}`;
}

function phaseList(plan: Plan): string[] {
  const lines = plan.phases.flatMap((phase, index) => {
    const shown = phase.steps.slice(0, STEPS_SHOWN).map((it) => `   - ${stepWords(it, codeSpan)}`);
    const more = phase.steps.length - shown.length;
    const commit = commitWords(phase, plan.kind);
    return [
      `${index + 1}. ${prose(phase.title)}`,
      ...shown,
      ...(more > 0 ? [`   - and ${more} more`] : []),
      ...(commit === '' ? [] : [`   - **${commit}**`]),
    ];
  });
  return ['<details><summary>Phases</summary>', '', ...lines, '', '</details>'];
}

function downtimeSentences({ downtime }: Plan): string[] {
  return downtime.services.map(
    (it) =>
      `${codeSpan(it.service)}: about ${durationText(it.expectedMs)}, at worst ${durationText(it.worstMs)} (${prose(it.reason)})`,
  );
}

function listing(title: string, sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : [`**${title}**`, '', ...sentences.map((it) => `- ${it}`)];
}
