/**
 * What a plan says in Markdown, as sections: for comments on pull requests and for `slipway plan --markdown`. Pure.
 *
 * Values of the environment are left out unless asked for: a comment reaches more people than the repository. Whatever
 * came from a manifest stands in code spans or is escaped: no mention, issue, link, image or HTML gets through.
 */
import { type Change, type FieldChange, hasChanges, type Plan, type PlannedSlot } from '../../schemas/plan.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { firstOf, shortCode, shortProse } from './bounds.ts';
import { commitWords, imageWords, MARKS, placementReason, stepWords, targetSlots } from './describe.ts';
import { ENV_PREFIX } from './fields.ts';
import { codeSpan, tableRow } from './foreign.ts';
import { listing, moreLine, type Section } from './section.ts';
import { durationText } from './show.ts';

export interface MarkdownOptions {
  /** Values of `env`, and not only their names. */
  readonly showEnv?: boolean;
}

/** Who gets room first; `controller/comment` has its own before and between. */
const RANKS = { warnings: 20, downtime: 30, changes: 40, phases: 50, fields: 70 } as const;

/** Nobody reads on; everything is counted in the head. */
const ROWS_SHOWN = 250;
const FIELDS_SHOWN = 1_000;
const STEPS_SHOWN = 30;
const SLOTS_SHOWN = 5;
/** More than this is folded, so that what comes after it stays in sight. */
const LINES_UNFOLDED = 12;

/** What would hurt most to miss comes first, because the end is what is left out. */
const ORDER = { remove: 0, recreate: 1, create: 2, 'in-place': 3, unchanged: 4 } as const;

/** All sections of the plan, in the order in which they are read. */
export function planSections(plan: Plan, options: MarkdownOptions = {}): Section[] {
  return [
    changesSection(plan),
    downtimeSection(plan),
    warningsSection(plan),
    fieldsSection(plan, options.showEnv ?? false),
    phasesSection(plan),
  ];
}

function changesSection(plan: Plan): Section {
  const changes = plan.changes
    .filter((it) => it.kind !== 'unchanged')
    .toSorted((a, b) => ORDER[hurt(a)] - ORDER[hurt(b)]);
  const specs = new Map(plan.services.map((it) => [it.name, it]));
  const slots = targetSlots(plan);
  const rows = changes
    .slice(0, ROWS_SHOWN)
    .map((it) => changeRow(it, specs.get(it.service), slots.get(it.service) ?? []));
  const folded = changes.length > LINES_UNFOLDED;
  return {
    title: folded ? `Changes of ${changes.length} services` : '',
    folded,
    rank: RANKS.changes,
    opening: [tableRow(['change', 'service', 'image', 'slots']), tableRow(['---', '---', '---', '---'])],
    entries: rows.map((text) => ({ text })),
    more: (count) => tableRow([`and ${count + changes.length - rows.length} more`, '', '', '']),
  };
}

function hurt(change: Change): keyof typeof ORDER {
  return change.kind === 'update' ? change.disruption : change.kind;
}

function changeRow(change: Change, spec: ServiceSpec | undefined, slots: readonly PlannedSlot[]): string {
  const image = spec === undefined ? null : imageWords(spec);
  const places = slots.map((it) => `${it.slot} on ${it.machine}`);
  const where = firstOf(places, SLOTS_SHOWN, codeSpan);
  const why = spec === undefined || slots.length === 0 ? '' : ` (${shortProse(placementReason(spec), 200)})`;
  return tableRow([
    `${MARKS[change.kind]} ${changeWords(change)}`,
    codeSpan(change.service),
    image === null ? '' : `${shortCode(image.name, 200)} ${shortCode(image.pinned)}`,
    `${where}${why}`,
  ]);
}

function changeWords(change: Change): string {
  if (change.kind !== 'update') return change.kind;
  return change.disruption === 'recreate' ? 'update, new instances' : 'update, in place';
}

function fieldsSection(plan: Plan, showEnv: boolean): Section {
  const fields = plan.changes.flatMap((change) =>
    change.kind === 'update' ? change.fields.map((field, index) => ({ change, field, first: index === 0 })) : [],
  );
  const entries = fields.slice(0, FIELDS_SHOWN).map(({ change, field, first }) => {
    const line = `  - ${fieldWords(field, showEnv)}`;
    return { text: first ? `- ${codeSpan(change.service)}\n${line}` : line };
  });
  return {
    title: `What differs: ${count(fields.length, 'field')}`,
    folded: true,
    rank: RANKS.fields,
    entries,
    more: (left) => `- and ${count(left + fields.length - entries.length, 'field')} more`,
  };
}

function fieldWords({ path, before, after }: FieldChange, showEnv: boolean): string {
  const name = shortCode(path);
  if (!path.startsWith(ENV_PREFIX) || showEnv) return `${name}: ${valueText(before)} → ${valueText(after)}`;
  return `${name} ${before === 'none' ? 'added' : after === 'none' ? 'removed' : 'changed'}`;
}

/** Digests by their first digits, as in the table of changes. */
function valueText(value: string): string {
  return shortCode(value.replaceAll(/(sha256:[\da-f]{12})[\da-f]{52}/g, '$1'), 400);
}

function phasesSection(plan: Plan): Section {
  const phases = hasChanges(plan) ? plan.phases : [];
  const entries = phases.map((phase, index) => {
    const commit = commitWords(phase, plan.kind);
    const steps = phase.steps.length;
    const then = commit === '' ? '' : steps === 0 ? `: **${commit}**` : `, then **${commit}**`;
    const more = steps - STEPS_SHOWN;
    return {
      text: `${index + 1}. ${shortProse(phase.title)}${steps === 0 ? '' : ` (${count(steps, 'step')})`}${then}`,
      detail: [
        ...phase.steps
          .slice(0, STEPS_SHOWN)
          .map((it) => `   - ${stepWords(it, shortCode, (names) => firstOf(names, SLOTS_SHOWN, shortCode))}`),
        ...(more > 0 ? [`   - and ${more} more`] : []),
      ],
    };
  });
  return {
    title: 'Phases',
    folded: true,
    rank: RANKS.phases,
    entries,
    more: (left) => `\n${count(left, 'phase')} more`,
  };
}

function downtimeSection({ downtime }: Plan): Section {
  const lines = downtime.services.map(
    (it) =>
      `${codeSpan(it.service)}: about ${durationText(it.expectedMs)}, at worst ${durationText(it.worstMs)} (${shortProse(it.reason)})`,
  );
  return foldable('Downtime', 'services are away for a while', lines, RANKS.downtime);
}

function warningsSection({ warnings }: Plan): Section {
  return foldable(
    'Not certain',
    'things are not certain',
    warnings.map((it) => shortProse(it, 600)),
    RANKS.warnings,
  );
}

/** A list that is folded when it is long. */
export function foldable(title: string, countTitle: string, lines: readonly string[], rank: number): Section {
  if (lines.length <= LINES_UNFOLDED) return listing(title, lines, { folded: false, rank });
  return { ...listing(title, lines, { folded: true, rank }), title: `${lines.length} ${countTitle}`, more: moreLine };
}

/** `1 field`, `2 fields`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
