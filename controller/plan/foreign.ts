/** Foreign text: what came from git, registries or people, made harmless for where it is shown. */

/**
 * Control characters, line separators, bidirectional controls, zero-width and other characters that show nothing, lone
 * surrogates. Source: Unicode TR36 and "Trojan Source" (CVE-2021-42574). Not the one that makes a pictograph an emoji.
 */
const INVISIBLE =
  /(?!(?<=\p{Extended_Pictographic})\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * What GitHub makes links of (or pictures: `:+1:`), looking at rendered text, so that neither entities nor backslashes
 * hide it: mentions and addresses, issues (also `GH-1` and a repository's own `ABC-1`), commits by 7 to 40 hex digits, URLs.
 */
const LINKING = /[@#]|:\/\/|www\.|[a-z]\d*-\d|(?<![\da-z])[\da-f]{7,40}(?![\da-z])|:[\w+-]+:/i;

/** The text on one line, with everything that cannot be seen written as `\u{…}`. */
export function visible(text: string): string {
  return text.replaceAll(INVISIBLE, (it) => `\\u{${(it.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A Markdown code span: nothing in it is a link, a mention, an issue or HTML. In a table, `tableRow` has to see it. */
export function codeSpan(text: string): string {
  const shown = visible(text);
  const runs = shown.split(/[^`]+/).map((it) => it.length);
  const fence = '`'.repeat(1 + runs.reduce((most, it) => Math.max(most, it), 0));
  const pad = shown === '' || /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/**
 * Prose with foreign words in it, as Markdown text for any place in a line: words that would become links go into code
 * spans, and it does not begin a list, a heading or a block of code.
 */
export function prose(text: string): string {
  const words = visible(text).trim().split(/ +/);
  const shown = words.map((it) => (LINKING.test(it) ? spanned(it) : escapeMarkdown(it))).join(' ');
  return shown.replace(/^(?:(\d+)(?=[.)])|(?=[-+=]))/, '$1\\');
}

/** The word in a code span, without the punctuation around it. */
function spanned(word: string): string {
  const [, before = '', core = '', after = ''] = /^(\(*)(.*?)([.,;:)]*)$/.exec(word) ?? [];
  return `${escapeMarkdown(before)}${codeSpan(core)}${escapeMarkdown(after)}`;
}

/**
 * A row of a Markdown table. A pipe inside a cell ends it even in a code span, and a backslash before it can itself be
 * escaped by the cell's text (GFM, tables extension), so pipes are written out.
 */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((it) => it.replaceAll('|', '\\u{7c}')).join(' | ')} |`;
}

/** Markdown as a link; without the link where the address is not one of the web, or is longer than anybody reads. */
export function link(label: string, url: string): string {
  if (!/^https?:\/\/[\w.[\]-]/i.test(url) || url.length > LONGEST_URL) return label;
  const target = url.replaceAll(NOT_IN_TARGET, percentEncoded);
  return target.length > LONGEST_URL ? label : `[${label}](${target})`;
}

/** What may stand in the target of a link as it is; an `&` could begin an entity, a bracket could end the target. */
const NOT_IN_TARGET = /[^\w.~:/?#@+,;=%-]/gu;
const LONGEST_URL = 500;

function percentEncoded(character: string): string {
  // Lone surrogates become U+FFFD.
  return [...Buffer.from(character)].map((it) => `%${it.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function escapeMarkdown(text: string): string {
  const entities = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return entities.replaceAll(/[\\`*_{}[\]()>~|!$]/g, String.raw`\$&`);
}
