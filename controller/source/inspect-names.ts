/**
 * Which entries of the manifests folder may be read: plain files with plain names, and no two names that a person or
 * another file system would take for one. Pure.
 */
import type { Problem } from '../../schemas/problem.ts';

/** The part of a tree entry that decides. */
export interface Candidate {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'submodule' | 'unknown';
  readonly oid: string;
}

const MAX_PATH_LENGTH = 1024;

/** Why a name is refused; the first rule that matches. */
const NAME_RULES: readonly { readonly refuses: RegExp; readonly message: string }[] = [
  { refuses: /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, message: 'the name holds a control or invisible character' },
  { refuses: /\p{Cs}|\uFFFD/u, message: 'the name is not UTF-8' },
  { refuses: /(?:^|\/)(?:\.{0,2}|\.git)(?:\/|$)/i, message: 'the name has a part that is empty, ".", ".." or ".git"' },
  { refuses: /\\/, message: 'the name holds a backslash' },
  { refuses: /(?:^|\/)-/, message: 'a part of the name begins with a dash' },
];

const KIND_MESSAGES = {
  symlink: { message: 'is a symbolic link', hint: 'commit the file itself' },
  submodule: { message: 'is a submodule', hint: 'commit the files themselves' },
  unknown: { message: 'is neither a file nor a folder', hint: 'commit a plain file' },
} as const;

/** Splits entries into files to read and problems; a path is in one of the two. */
export function inspectEntries<T extends Candidate>(
  entries: readonly T[],
): { readonly accepted: readonly T[]; readonly problems: readonly Problem[] } {
  const accepted: T[] = [];
  const problems: Problem[] = [];
  const twins = twinsOf(entries);
  for (const entry of entries) {
    const problem = nameProblem(entry.path) ?? kindProblem(entry) ?? twinProblem(entry, twins);
    if (problem === null) accepted.push(entry);
    else problems.push(problem);
  }
  return { accepted, problems };
}

/** A problem with a file as a whole. */
export function fileProblem(path: string, message: string, hint?: string): Problem {
  const problem = { file: printable(path), line: 0, column: 0, path: '', message };
  return hint === undefined ? problem : { ...problem, hint };
}

/** The problem of an entry that is no plain file; null: it is one. */
export function kindProblem(entry: Candidate): Problem | null {
  if (entry.kind === 'file' || entry.kind === 'folder') return null;
  const { message, hint } = KIND_MESSAGES[entry.kind];
  return fileProblem(entry.path, message, hint);
}

function nameProblem(path: string): Problem | null {
  if (path.length > MAX_PATH_LENGTH) return fileProblem(path, `the path is longer than ${MAX_PATH_LENGTH} characters`);
  const rule = NAME_RULES.find((it) => it.refuses.test(path));
  return rule === undefined ? null : fileProblem(path, rule.message, 'rename it');
}

function twinProblem(entry: Candidate, twins: ReadonlyMap<string, readonly string[]>): Problem | null {
  const group = twins.get(fold(entry.path)) ?? [];
  if (group.length < 2) return null;
  const others = group.filter((it) => it !== entry.path);
  if (others.length === 0) return fileProblem(entry.path, 'the name is there twice', 'rename one');
  const named = printable(others.toSorted().join(', '));
  return fileProblem(
    entry.path,
    `the name differs from another only in case or in how it is encoded: ${named}`,
    'rename one',
  );
}

function twinsOf(entries: readonly Candidate[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { path } of entries) {
    const key = fold(path);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [path]);
    else group.push(path);
  }
  return groups;
}

function fold(path: string): string {
  return path.normalize('NFKC').toLowerCase();
}

/** Hostile names as one bounded line of visible characters. */
function printable(path: string): string {
  const escaped = path.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (it) => `\\u${hex(it)}`);
  return escaped.length <= 300 ? escaped : `${escaped.slice(0, 299)}…`;
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0');
}
