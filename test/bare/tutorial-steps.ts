/**
 * What a tutorial tells its reader to type, and what it says will be printed. Pure.
 *
 * Each ```sh block is a step; a ```text block right behind it is its output. Words after `sh` say how the reader goes
 * about it: `first-terminal`, `again` (repeated until the output fits), `exits=4`.
 */

export interface TutorialStep {
  /** Of the block's fence in the file, from 1. */
  readonly line: number;
  readonly script: string;
  /** In the terminal where a program stays in the foreground, not in the shell of all other steps. */
  readonly inFirstTerminal: boolean;
  /** Repeated until the output is the promised one: something happens in the meantime. */
  readonly isRepeated: boolean;
  readonly exitCode: number;
  /** Null: nothing is said about it. */
  readonly output: string | null;
}

interface Block {
  readonly line: number;
  readonly info: readonly string[];
  readonly text: string;
}

/**
 * The steps below the heading, up to the next heading of its level, in order.
 *
 * @throws when there is no such heading, a block is not closed, an output belongs to no step, or a word is unknown
 */
export function tutorialSteps(markdown: string, heading: string): TutorialStep[] {
  const steps: TutorialStep[] = [];
  let takesOutput = false;
  for (const { line, info, text } of blocksOf(section(markdown, heading))) {
    const [language = '', ...words] = info;
    if (language === 'sh') steps.push(stepOf(line, text, words));
    if (language === 'text') {
      const last = steps.pop();
      if (last === undefined || !takesOutput) throw new Error(`line ${line}: this output belongs to no step`);
      steps.push({ ...last, output: text });
    }
    takesOutput = language === 'sh';
  }
  return steps;
}

/**
 * Whether a program printed what was promised, all of it. In what is promised, `…` stands for anything in a line, and
 * alone on a line for any number of lines. Spaces at the ends of lines do not count.
 */
export function fits(output: string, promised: string): boolean {
  const lines = trimmed(promised).map((it) => (it === '…' ? '(?:.*\n)*' : `${it.split('…').map(quoted).join('.*')}\n`));
  return new RegExp(`^${lines.join('')}$`).test(`${trimmed(output).join('\n')}\n`);
}

interface Line {
  readonly number: number;
  readonly text: string;
}

function section(markdown: string, heading: string): Line[] {
  const lines = markdown.split('\n').map((text, index) => ({ number: index + 1, text }));
  const start = lines.findIndex((it) => it.text === heading);
  if (start === -1) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+ /.exec(heading)?.[0] ?? '';
  let isInBlock = false;
  const length = lines.slice(start + 1).findIndex(({ text }) => {
    if (text.startsWith('```')) isInBlock = !isInBlock;
    return !isInBlock && text.startsWith(level);
  });
  return length === -1 ? lines.slice(start + 1) : lines.slice(start + 1, start + 1 + length);
}

function blocksOf(lines: readonly Line[]): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string[]; body: string[] } | null = null;
  for (const { number, text } of lines) {
    if (open === null) {
      if (text.startsWith('```')) open = { line: number, info: text.slice(3).split(' ').filter(Boolean), body: [] };
    } else if (text === '```') {
      blocks.push({ line: open.line, info: open.info, text: open.body.join('\n') });
      open = null;
    } else open.body.push(text);
  }
  if (open !== null) throw new Error(`line ${open.line}: this block is not closed`);
  return blocks;
}

function stepOf(line: number, script: string, words: readonly string[]): TutorialStep {
  const exits = words.map((it) => /^exits=(\d+)$/.exec(it)?.[1]).find((it) => it !== undefined);
  const unknown = words.find((it) => !/^(?:first-terminal|again|exits=\d+)$/.test(it));
  if (unknown !== undefined) throw new Error(`line ${line}: "${unknown}" is not a word for a step`);
  return {
    line,
    script,
    inFirstTerminal: words.includes('first-terminal'),
    isRepeated: words.includes('again'),
    exitCode: Number(exits ?? 0),
    output: null,
  };
}

function trimmed(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((it) => it.trimEnd());
}

function quoted(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
