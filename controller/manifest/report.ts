/** Collecting problems with their places. */
import type { Problem } from '../../schemas/problem.ts';
import { type Path, pathText } from './places.ts';
import type { Document } from './read.ts';

interface ReportOptions {
  readonly hint?: string | undefined;
  /** Whether the key or the value is meant; `value` by default. */
  readonly part?: 'key' | 'value';
}

/** Adds one problem; `path` counts from where the report begins (a service, a volume, a file). */
export type Report = (path: Path, message: string, options?: ReportOptions) => void;

/** A report into `problems` whose paths begin at `base` of the document. */
export function createReport(document: Document, problems: Problem[], base: Path = []): Report {
  return (path, message, { hint, part = 'value' } = {}) => {
    const full = [...base, ...path];
    const problem = { file: document.file, ...document.places.at(full, part), path: pathText(full), message };
    problems.push(hint === undefined ? problem : { ...problem, hint });
  };
}

/** Problems in the order of files, lines and columns, each once, and at most `limitPerFile` of one file. */
export function orderedProblems(problems: readonly Problem[], limitPerFile: number): Problem[] {
  const byFile = new Map<string, Map<string, Problem>>();
  for (const it of problems) {
    const ofFile = byFile.get(it.file) ?? new Map<string, Problem>();
    ofFile.set(JSON.stringify([it.line, it.column, it.path, it.message]), it);
    byFile.set(it.file, ofFile);
  }
  const files = [...byFile].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return files.flatMap(([file, ofFile]) => {
    const all = [...ofFile.values()].toSorted(
      (a, b) => a.line - b.line || a.column - b.column || compare(a.path, b.path) || compare(a.message, b.message),
    );
    if (all.length <= limitPerFile) return all;
    const message = `${all.length - limitPerFile} more problems in this file`;
    return [...all.slice(0, limitPerFile), { file, line: 0, column: 0, path: '', message }];
  });
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
