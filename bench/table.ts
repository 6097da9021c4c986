/** Results as Markdown, and the README part that they replace. */
import { readFile, writeFile } from 'node:fs/promises';
import { type Summary, summarize } from './stats.ts';

/** A Markdown table; all columns but the first are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `median (min–max)` of samples in milliseconds, in the unit that fits the median. */
export function timeCell(samplesMs: readonly number[]): string {
  const { min, median, max } = summarize(samplesMs);
  const unit = median >= 1_000 ? { divisor: 1_000, digits: 2, name: 's' } : { divisor: 1, digits: 0, name: 'ms' };
  const text = (ms: number) => (ms / unit.divisor).toFixed(median < 10 ? 1 : unit.digits);
  return `**${text(median)} ${unit.name}** (${text(min)}–${text(max)})`;
}

/** One time in milliseconds. */
export function timeText(ms: number): string {
  return Math.abs(ms) >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(Math.abs(ms) < 10 ? 1 : 0)} ms`;
}

/** How many times as long the first takes: ratio of the medians. */
export function ratioCell(ours: Summary, theirs: Summary): string {
  return (ours.median / theirs.median).toFixed(2);
}

/** Puts `text` between the markers of `name`; the rest of the file stays. @throws when the markers are missing */
export async function replacePart(path: string, name: string, text: string): Promise<void> {
  const file = await readFile(path, 'utf8');
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [file.indexOf(begin), file.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no ${begin} … ${end}`);
  await writeFile(path, `${file.slice(0, from)}${begin}\n\n${text.trim()}\n\n${file.slice(to)}`);
}
