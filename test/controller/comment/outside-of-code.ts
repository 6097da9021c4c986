/** Reads Markdown as comments of ours are written: which folds and fences there are, and what is outside of code. */

export interface Outside {
  /** Everything that is neither code, nor a link of ours, nor one of our folds, nor escaped. */
  readonly text: string;
  readonly folds: readonly ('open' | 'close')[];
  /** Whether a fence is open at the end. */
  readonly open: boolean;
}

/** Where links of ours go. */
const OURS = /\]\(https:\/\/(?:github|x)\.example\/[\w.~:/?@#+,;=%-]*\)/g;

/** Source: CommonMark 4.5 (fences) and 6.1 (code spans; no line of ours goes on in the next). */
export function outsideOfCode(lines: readonly string[]): Outside {
  const rest: string[] = [];
  const folds: ('open' | 'close')[] = [];
  let fence = '';
  for (const line of lines) {
    const run = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? '';
    if (fence !== '') {
      if (run.startsWith(fence) && line.trim() === run) fence = '';
    } else if (run !== '' && !line.slice(run.length).includes('`')) {
      fence = run;
    } else if (/^<details><summary>[\w ]+(?:: \d+ fields?)?<\/summary>$/.test(line)) {
      folds.push('open');
    } else if (line === '</details>') {
      folds.push('close');
    } else {
      rest.push(withoutSpans(line.replace(/^### /, '')).replaceAll(OURS, ']'));
    }
  }
  return { text: rest.join('\n'), folds, open: fence !== '' };
}

function withoutSpans(line: string): string {
  let text = '';
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    const run = /^`+/.exec(line.slice(at))?.[0].length ?? 0;
    if (char === '\\') {
      text += '·';
      at += 2;
    } else if (run > 0) {
      const end = closing(line, at + run, run);
      text += end === -1 ? '`'.repeat(run) : '·';
      at = end === -1 ? at + run : end;
    } else {
      text += char;
      at += 1;
    }
  }
  return text;
}

/** Where the span that began before `from` is over; -1: nowhere, it is none. */
function closing(line: string, from: number, length: number): number {
  for (const it of line.slice(from).matchAll(/`+/g)) if (it[0].length === length) return from + it.index + length;
  return -1;
}
