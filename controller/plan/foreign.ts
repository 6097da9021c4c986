/** Foreign text: what came from git, registries or people, made harmless for where it is shown. */

/**
 * Control characters, line separators, bidirectional controls, zero-width and other characters that show nothing, lone
 * surrogates. Source: Unicode TR36 and "Trojan Source" (CVE-2021-42574).
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** What GitHub makes mentions, issues and links of, looking at rendered text, so that entities do not hide it. */
const LINKING = /[@#]|:\/\/|www\.|GH-\d/i;

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

/** Prose with foreign words in it, as Markdown text: words that would become links go into code spans. */
export function prose(text: string): string {
  const words = visible(text).split(' ');
  return words.map((it) => (LINKING.test(it) ? codeSpan(it) : escapeMarkdown(it))).join(' ');
}

/**
 * A row of a Markdown table. A pipe inside a cell ends it even in a code span, and a backslash before it can itself be
 * escaped by the cell's text (GFM, tables extension), so pipes are written out.
 */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((it) => it.replaceAll('|', '\\u{7c}')).join(' | ')} |`;
}

function escapeMarkdown(text: string): string {
  const entities = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return entities.replaceAll(/[\\`*_{}[\]()>~|!$]/g, String.raw`\$&`);
}
