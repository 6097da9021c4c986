/**
 * Sections: parts of a Markdown document that give way where there is not enough room. Pure.
 *
 * A line is written whole or not at all, so that no fence and no fold is ever left open; what is left out is counted.
 */
import { bytesOf } from './bounds.ts';

/** An entry of a section: whole lines. `detail`: more lines under it, the first to give way. */
export interface Entry {
  readonly text: string;
  readonly detail?: readonly string[];
}

export interface Section {
  /** Markdown; what a fold is called, or a line above. Empty: none. */
  readonly title: string;
  readonly folded: boolean;
  /** Who gets room first: lower ranks; where sections have the same, the earlier one. */
  readonly rank: number;
  /** Lines before the entries, such as the head of a table. */
  readonly opening?: readonly string[];
  readonly entries: readonly Entry[];
  /** The line for entries that were left out. */
  readonly more: (count: number) => string;
}

/** What was decided for a section: how many entries, and how many lines of detail of each. */
interface Draft {
  readonly section: Section;
  readonly opening: readonly string[];
  readonly closing: readonly string[];
  shown: boolean;
  entries: number;
  details: number[];
}

/** A list of sentences that are Markdown already. */
export function listing(title: string, lines: readonly string[], options: Pick<Section, 'folded' | 'rank'>): Section {
  return { title: `**${title}**`, ...options, entries: lines.map((it) => ({ text: `- ${it}` })), more: moreLine };
}

/** `- and 7 more`. */
export function moreLine(count: number): string {
  return `- and ${count} more`;
}

/**
 * The sections as text, in their order, in at most so many bytes with an empty line before each; sections without entries
 * are left out. First every section gets room for its entries up to an equal share, then what is left goes by rank, and
 * detail comes last. Takes time in proportion to the number of entries.
 */
export function fit(sections: readonly Section[], maxBytes: number): string[] {
  const drafts = sections.filter((it) => it.entries.length > 0).map(draftOf);
  const byRank = drafts.toSorted((a, b) => a.section.rank - b.section.rank);
  let left = maxBytes;
  for (const it of byRank) {
    const frame = frameBytes(it);
    it.shown = frame <= left;
    if (it.shown) left -= frame;
  }
  const present = byRank.filter((it) => it.shown);
  const share = Math.floor(left / Math.max(1, present.length));
  for (const it of present) left -= takeEntries(it, share);
  for (const it of present) left -= takeEntries(it, left);
  for (const it of present) left -= takeDetails(it, left);
  return drafts.filter((it) => it.shown).map(written);
}

function draftOf(section: Section): Draft {
  const opening = section.folded
    ? [`<details><summary>${section.title}</summary>`, '']
    : section.title === ''
      ? []
      : [section.title, ''];
  const closing = section.folded ? ['', '</details>'] : [];
  const lines = [...opening, ...(section.opening ?? [])];
  return { section, opening: lines, closing, shown: false, entries: 0, details: [] };
}

/** Its lines around the entries, the longest line for what is left out, and the empty line before it. */
function frameBytes({ section, opening, closing }: Draft): number {
  return cost([...opening, ...closing, section.more(section.entries.length)]) + 2;
}

/** @returns what it took of the room */
function takeEntries(draft: Draft, room: number): number {
  let taken = 0;
  for (const { text } of draft.section.entries.slice(draft.entries)) {
    const bytes = cost([text]);
    if (taken + bytes > room) break;
    taken += bytes;
    draft.entries += 1;
  }
  return taken;
}

/** @returns what it took of the room */
function takeDetails(draft: Draft, room: number): number {
  let taken = 0;
  for (const { detail = [] } of draft.section.entries.slice(0, draft.entries)) {
    const rest = detail.length === 0 ? 0 : cost([detailMore(detail.length)]);
    let lines = 0;
    for (const line of detail) {
      const bytes = cost([line]);
      if (taken + rest + bytes > room) break;
      taken += bytes;
      lines += 1;
    }
    if (lines > 0 && lines < detail.length) taken += rest;
    draft.details.push(lines);
  }
  return taken;
}

function written({ section, opening, closing, entries, details }: Draft): string {
  const lines = section.entries.slice(0, entries).flatMap(({ text, detail = [] }, index) => {
    const count = details[index] ?? 0;
    const cut = count > 0 && count < detail.length ? [detailMore(detail.length - count)] : [];
    return [text, ...detail.slice(0, count), ...cut];
  });
  const more = section.entries.length - entries;
  const body = [...opening, ...lines, ...(more > 0 ? [section.more(more)] : [])].join('\n').trimEnd();
  return [body, ...closing].join('\n');
}

function detailMore(count: number): string {
  return `   - and ${count} more`;
}

function cost(lines: readonly string[]): number {
  return lines.reduce((sum, it) => sum + bytesOf(it) + 1, 0);
}
