/** What commands print: text for people on a terminal or in a log, one JSON envelope with `--json`. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import colors from 'picocolors';
import { ERRORS, type ErrorCode, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

export interface Output {
  readonly json: boolean;
  /** A person watches: colours and live progress are welcome. */
  readonly terminal: boolean;
  readonly colors: ReturnType<typeof colors.createColors>;
  /** A line for people; nothing with `--json`. */
  line(text?: string): void;
  /** A line for people on standard error; nothing with `--json`. */
  note(text: string): void;
  /** A table as text. */
  tableText(head: readonly string[], rows: readonly (readonly string[])[]): string;
  /** A table for people. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The command's result: the envelope `{ ok, command, data }` with `--json`, else what `text` prints. */
  result(data: unknown, text: () => void): void;
  /** One JSON line of a stream (events, logs) with `--json`, else the text. */
  item(data: unknown, text: string): void;
}

export function createOutput(args: { readonly command: string; readonly json: boolean }): Output {
  const { json } = args;
  const terminal = !json && process.stdout.isTTY;
  const write = (text: string) => void process.stdout.write(`${text}\n`);
  const line = (text = '') => {
    if (!json) write(text);
  };
  return {
    json,
    terminal,
    colors: colors.createColors(terminal && colors.isColorSupported),
    line,
    note: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
    tableText,
    table: (head, rows) => line(tableText(head, rows)),
    result: (data, text) => {
      if (json) write(JSON.stringify({ ok: true, command: args.command, data }));
      else text();
    },
    item: (data, text) => write(json ? JSON.stringify(data) : text),
  };
}

function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true }, chars: BARE });
  table.push(...rows.map((row) => row.map(printable)));
  return table.toString().replaceAll(/ +$/gm, '');
}

/** A logger for parts that a person watches: only what goes wrong, a sentence each. */
export function troubleLogger(output: Pick<Output, 'note'>): Logger {
  const say = (_: object, message: string) => output.note(message);
  return { debug() {}, info() {}, warn: say, error: say };
}

/** Nothing that came from git, containers or records can move the cursor or colour the screen. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are exactly what is taken out
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    '',
  );
}

/** Prints a failure and gives the exit code it stands for. */
export function reportFailure(
  error: unknown,
  args: { readonly command: string; readonly json: boolean; readonly verbose: boolean },
): ExitCode {
  const known = error instanceof SlipwayError;
  const code = known ? error.code : 'BUG';
  const message = error instanceof Error ? error.message : String(error);
  const details = known ? error.details : {};
  if (args.json) {
    process.stdout.write(
      `${JSON.stringify({ ok: false, command: args.command, error: { code, message, details } })}\n`,
    );
  } else {
    process.stderr.write(`${colors.red('error')} ${code}: ${printable(message)}\n`);
    if (known) process.stderr.write(`${colors.dim(ERRORS[error.code].means)}\n`);
    if (!known || args.verbose) process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`);
  }
  if (code === 'USAGE') return EXIT.usage;
  return REFUSED.has(code) ? EXIT.refused : EXIT.failed;
}

/** Nothing went wrong: somebody must agree first. */
const REFUSED: ReadonlySet<string> = new Set<ErrorCode>([
  'CONSENT_NEEDED',
  'APPROVAL_NEEDED',
  'FROZEN',
  'HELD',
  'SECRET_IN_USE',
  'VOLUME_IN_USE',
]);

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};
