/** What the schema says against a value → problems that a person understands: what is wanted, what is there, what to do. Pure. */
import type { SchemaIssue } from '../../schemas/manifest.ts';
import { type FieldRow, keysAt } from './field-table.ts';
import { type Path, quoted } from './places.ts';
import type { Report } from './report.ts';
import { didYouMean, suggestKey } from './suggest.ts';

/** An issue with its whole path; issues of unions are replaced by the ones of the branch that was meant. */
export interface FlatIssue {
  readonly path: Path;
  readonly issue: SchemaIssue;
}

/** Resolves unions: the branch whose kind of value fits, else the one with fewest issues. */
export function flattenIssues(issues: readonly SchemaIssue[], value: unknown, base: Path = []): FlatIssue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.map((it) => (typeof it === 'symbol' ? String(it) : it))];
    if (issue.code !== 'invalid_union') return [{ path, issue }];
    const branch = meantBranch(issue.errors, valueAt(value, path));
    return branch === null ? [{ path, issue }] : flattenIssues(branch, value, path);
  });
}

/** Reports each issue. `rows`: the field table of the file, for suggestions. */
export function explainIssues(
  issues: readonly FlatIssue[],
  value: unknown,
  rows: readonly FieldRow[],
  report: Report,
): void {
  for (const { path, issue } of issues) {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(
        rows.filter((it) => it.status !== 'refused'),
        path,
      );
      const all = rows.map((it) => it.path);
      for (const key of issue.keys) {
        report([...path, key], `unknown key ${quoted(key)}`, { hint: suggestKey(key, known, all), part: 'key' });
      }
    } else if (issue.code === 'invalid_key') {
      report(path, `${quoted(String(path.at(-1)))} is not ${issue.issues[0]?.message ?? 'a valid key'}`, {
        part: 'key',
      });
    } else {
      const { message, hint } = explain(issue, valueAt(value, path));
      report(path, message, { hint });
    }
  }
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((it, step) => {
    if (typeof it !== 'object' || it === null || !Object.hasOwn(it, step)) return undefined;
    return (it as Record<string | number, unknown>)[step];
  }, value);
}

function meantBranch(branches: readonly (readonly SchemaIssue[])[], value: unknown): readonly SchemaIssue[] | null {
  const fitting = branches.filter(
    (it) =>
      !it.some(
        (issue) => (issue.path.length === 0 && issue.code === 'invalid_type') || isEnumOfOtherKind(issue, value),
      ),
  );
  return fitting.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

function isEnumOfOtherKind(issue: SchemaIssue, value: unknown): boolean {
  return issue.path.length === 0 && issue.code === 'invalid_value' && typeof value !== 'string';
}

interface Explanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

function explain(issue: SchemaIssue, value: unknown): Explanation {
  if (value === undefined) return { message: 'is required' };
  switch (issue.code) {
    case 'invalid_type':
      return {
        message: `wanted ${typeName(issue.expected)}, not ${described(value)}`,
        hint: quotesHint(issue.expected, value),
      };
    case 'invalid_value': {
      const values = issue.values.map(String);
      const wanted = `one of ${values.map((it) => `"${it}"`).join(', ')}`;
      if (typeof value !== 'string')
        return { message: `wanted ${values.length === 1 ? values[0] : wanted}, not ${described(value)}` };
      return { message: `${quoted(value)} is not ${wanted}`, hint: didYouMean(value, values) };
    }
    case 'invalid_format':
      if (issue.format === 'includes') return { message: `${described(value)} does not have "{number}" in it` };
      return { message: `${quotedValue(value)} is not ${issue.message}` };
    case 'too_small':
      if (typeof value === 'number') return { message: `${value} is less than ${issue.minimum}` };
      return { message: 'must not be empty' };
    case 'too_big':
      if (Array.isArray(value)) return { message: `has more than ${issue.maximum} entries` };
      return { message: `${described(value)} is more than ${issue.maximum}` };
    case 'invalid_union':
      return { message: `wanted ${unionTypes(issue.errors)}, not ${described(value)}` };
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return { message: issue.message };
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table',
  record: 'a table',
};

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function unionTypes(branches: readonly (readonly SchemaIssue[])[]): string {
  const names = branches.map((branch) => {
    const first = branch[0];
    if (first?.code === 'invalid_value') return first.values.map((it) => `"${String(it)}"`).join(', ');
    return first?.code === 'invalid_type' ? typeName(first.expected) : 'another value';
  });
  return [...new Set(names)].join(' or ');
}

function quotedValue(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : described(value);
}

function described(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (Object.prototype.toString.call(value) === '[object Date]') return 'a date';
  if (typeof value === 'object') return 'a table';
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'string') return `the text ${quoted(value)}`;
  return value === true ? 'true' : 'false';
}

function quotesHint(expected: string, value: unknown): string | undefined {
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `write "${value}", in quotes`;
  if ((expected === 'number' || expected === 'int') && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) {
    return `write ${value}, without quotes`;
  }
  if (expected === 'boolean' && (value === 'true' || value === 'false')) return `write ${value}, without quotes`;
  return undefined;
}
