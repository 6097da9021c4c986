/** A plan for people at a terminal. Pure text; nothing from a manifest can move the cursor or colour anything. */
import { type Change, type FieldChange, hasChanges, type Plan, type PlannedSlot } from '../../schemas/plan.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
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
import { visible } from './foreign.ts';
import { durationText } from './show.ts';

/** The functions of picocolors that are used; each wraps a text. */
export interface Colors {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

const same = (text: string) => text;
const NO_COLORS: Colors = { bold: same, dim: same, red: same, green: same, yellow: same };

/** More steps of a phase than this are counted, not listed. */
const STEPS_SHOWN = 20;
const SLOTS_SHOWN = 8;

/** The plan as lines, without a newline at the end. @param options.colors none by default */
export function renderTerminal(plan: Plan, options: { readonly colors?: Colors } = {}): string {
  const colors = options.colors ?? NO_COLORS;
  const lines = [colors.bold(visible(heading(plan))), '', ...changeLines(plan, colors)];
  if (hasChanges(plan)) lines.push(...phaseLines(plan, colors));
  lines.push(...listing('Downtime', downtimeLines(plan), colors.yellow));
  lines.push(...listing('Cannot be undone', plan.destructive, colors.red));
  lines.push(...listing('Not certain', plan.warnings, colors.yellow));
  lines.push(...listing('Needs consent', plan.consents, colors.red));
  lines.push(...listing('Needs approval', plan.approvals, colors.yellow));
  if (!hasChanges(plan)) lines.push('No changes: what is live already is what is desired.');
  return [...lines, colors.bold(visible(summary(plan)))].join('\n');
}

function changeLines(plan: Plan, colors: Colors): string[] {
  const specs = new Map(plan.services.map((it) => [it.name, it]));
  const slots = targetSlots(plan);
  const lines = plan.changes.flatMap((change) => {
    if (change.kind === 'unchanged') return [];
    const spec = specs.get(change.service);
    return [changeLine(change, colors), ...(spec === undefined ? [] : details(change, spec, slots, colors))];
  });
  const unchanged = plan.changes.filter((it) => it.kind === 'unchanged').map((it) => visible(it.service));
  if (unchanged.length > 0) lines.push(colors.dim(`  unchanged: ${shorten(unchanged, SLOTS_SHOWN)}`));
  return lines.length > 0 ? [...lines, ''] : [];
}

function changeLine(change: Change, colors: Colors): string {
  const paint = { create: colors.green, update: colors.yellow, remove: colors.red, unchanged: colors.dim }[change.kind];
  const how = change.kind !== 'update' ? '' : change.disruption === 'recreate' ? ', new instances' : ', in place';
  return `${paint(`${MARKS[change.kind]} ${visible(change.service)}`)}  ${change.kind}${how}`;
}

function details(
  change: Change,
  spec: ServiceSpec,
  slots: ReadonlyMap<string, readonly PlannedSlot[]>,
  colors: Colors,
): string[] {
  const { name, pinned } = imageWords(spec);
  const image = change.kind === 'create' ? [`    image: ${visible(name)} ${colors.dim(visible(pinned))}`] : [];
  const fields = change.kind === 'update' ? change.fields.map((it) => `    ${fieldLine(it)}`) : [];
  const rows = (slots.get(change.service) ?? []).map((it) => visible(`${it.slot} on ${it.machine}`));
  const where =
    rows.length === 0
      ? []
      : [`    slots: ${shorten(rows, SLOTS_SHOWN)} ${colors.dim(`(${visible(placementReason(spec))})`)}`];
  return [...image, ...fields, ...where];
}

function fieldLine({ path, before, after }: FieldChange): string {
  return `${visible(path)}: ${visible(before)} → ${visible(after)}`;
}

function phaseLines(plan: Plan, colors: Colors): string[] {
  const lines = plan.phases.flatMap((phase, index) => {
    const shown = phase.steps.slice(0, STEPS_SHOWN).map((it) => `     ${stepWords(it, visible)}`);
    const more = phase.steps.length - shown.length;
    const commit = commitWords(phase, plan.kind);
    return [
      `  ${index + 1}. ${visible(phase.title)}`,
      ...shown,
      ...(more > 0 ? [colors.dim(`     and ${more} more`)] : []),
      ...(commit === '' ? [] : [colors.dim(`     ${commit}`)]),
    ];
  });
  return [colors.bold('Phases'), ...lines, ''];
}

function downtimeLines({ downtime }: Plan): string[] {
  return downtime.services.map(
    (it) => `${it.service}: about ${durationText(it.expectedMs)}, at worst ${durationText(it.worstMs)} (${it.reason})`,
  );
}

function listing(title: string, sentences: readonly string[], paint: (text: string) => string): string[] {
  if (sentences.length === 0) return [];
  return [paint(title), ...sentences.map((it) => `  ${visible(it)}`), ''];
}
