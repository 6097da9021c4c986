/** Problems: mistakes of a user in a file, all of them at once. */

/** `line` and `column` count from 1; 0 where the file as a whole is meant. `path` is like `services[0].routes[0]`. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** One line: `file:line:column path: message (hint)`. */
export function problemText(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}${path}: ${problem.message}${hint}`;
}
