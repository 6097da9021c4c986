/**
 * Bounds: foreign text in a known number of bytes, for documents that may only be so long. Pure.
 *
 * What is counted is what was written, after escaping: one character of a stranger can become a dozen bytes.
 */
import { stripVTControlCharacters } from 'node:util';
import { codeSpan, prose, visible } from './foreign.ts';

const LOG_LINE_BYTES = 240;

/** Length of the text in UTF-8, as forges count it. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

/** The text in a code span of at most so many bytes; `…` at the end says that it was cut. */
export function shortCode(text: string, maxBytes = 160): string {
  return within(text, maxBytes, codeSpan);
}

/** The text as prose of at most so many bytes; `…` at the end says that it was cut. */
export function shortProse(text: string, maxBytes = 320): string {
  return within(text, maxBytes, prose);
}

/** One line of plain text, at most so long in UTF-16 code units, for where no Markdown is read. */
export function shortPlain(text: string, maxLength: number): string {
  const shown = visible(text).trim();
  return shown.length <= maxLength ? shown : `${wellFormed(shown.slice(0, maxLength - 1))}…`;
}

/** The first of the texts as `write` writes them, and how many more there are. */
export function firstOf(texts: readonly string[], most: number, write: (text: string) => string): string {
  const shown = texts
    .slice(0, most)
    .map((it) => write(it))
    .join(', ');
  return texts.length > most ? `${shown} and ${texts.length - most} more` : shown;
}

/**
 * The last lines as a block of code of at most so many bytes (of lines; a fence may be as long as what it holds). Colours
 * and other terminal sequences are dropped, everything else that cannot be seen is written out.
 */
export function fence(lines: readonly string[], { maxLines = 20, maxBytes = 3_000 } = {}): readonly string[] {
  const shown: string[] = [];
  let left = maxBytes;
  for (const line of lines.slice(-maxLines).toReversed()) {
    const text = plainWithin(
      stripVTControlCharacters(line.slice(0, LOG_LINE_BYTES * 4)).replaceAll('\t', '  '),
      LOG_LINE_BYTES,
    );
    left -= bytesOf(text) + 1;
    if (left < 0) break;
    shown.unshift(text);
  }
  const longest = shown.flatMap((it) => it.match(/`+/g) ?? []).reduce((most, it) => Math.max(most, it.length), 2);
  const ticks = '`'.repeat(longest + 1);
  const more = lines.length - shown.length;
  return [`${ticks}text`, ...(more > 0 ? [`… ${more} ${more === 1 ? 'line' : 'lines'} before`] : []), ...shown, ticks];
}

function plainWithin(text: string, maxBytes: number): string {
  return within(text, maxBytes, visible);
}

/** Halves what it shows until that fits: a few turns, however long the text is. */
function within(text: string, maxBytes: number, write: (text: string) => string): string {
  let length = maxBytes;
  for (;;) {
    const whole = text.length <= length;
    const written = write(whole ? text : `${wellFormed(text.slice(0, length))}…`);
    if (bytesOf(written) <= maxBytes || length < 2) return written;
    length = Math.floor(Math.min(length, text.length) / 2);
  }
}

/** Without the half of a pair that a cut leaves at the end. */
function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff]$/, '');
}
