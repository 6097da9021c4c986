/**
 * Reads all that one revision says: slipway.toml at the root and every file below the manifests folder. Whatever a
 * person committed becomes a Problem; whatever cannot be read throws, and an empty folder counts as that.
 */

import { isSlipwayError } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import type { Repository } from '../git/repository.ts';
import type { TreeEntry } from '../git/tree-walk.ts';
import { unavailable } from '../git/unavailable.ts';
import { fileProblem, inspectEntries, kindProblem } from './inspect-names.ts';
import type { SourceFile, SourceState } from './state.ts';

const SETTINGS_FILE = 'slipway.toml';
const MAX_FILE_BYTES = 2 ** 20;
const MAX_FILES = 2_000;
const MAX_TOTAL_BYTES = 16 * 2 ** 20;

const READS_AT_ONCE = 16;
const LFS_POINTER = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//;

export interface ReadArgs {
  readonly repository: Repository;
  readonly revision: Revision;
  /** Folder of the manifests by slipway.toml (null: there is none). Throwing makes the revision invalid. */
  readonly manifestsFolder: (settingsFile: Uint8Array | null) => string;
  readonly signal: AbortSignal;
}

/** The state that the revision is: `ok` or `invalid`. @throws SOURCE_UNAVAILABLE */
export async function readRevision(args: ReadArgs): Promise<Extract<SourceState, { kind: 'ok' | 'invalid' }>> {
  const { repository, revision } = args;
  const { author, authorEmail, subject } = await repository.commitInfo(revision);
  const commit = { author, authorEmail, subject };
  const invalid = (...problems: readonly Problem[]) => ({ kind: 'invalid', revision, commit, problems }) as const;

  const settings = await readSettings(repository, revision);
  if ('problem' in settings) return invalid(settings.problem);
  const folder = folderOf(args.manifestsFolder, settings.bytes);
  if (typeof folder !== 'string') return invalid(...folder);

  const entries = await listManifests(args, folder);
  if ('problem' in entries) return invalid(entries.problem);
  const { accepted, problems } = inspectEntries(entries.found);
  const read = await readFiles(args, folder, accepted);
  if ('problem' in read) return invalid(read.problem);
  const all = [...problems, ...read.problems].toSorted((a, b) => (a.file < b.file ? -1 : 1));
  if (read.files.length === 0) return invalid(...all);
  return {
    kind: 'ok',
    revision,
    commit,
    manifestsFolder: folder,
    settingsFile: settings.bytes,
    files: read.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    problems: all,
  };
}

/** slipway.toml of a revision. @throws SOURCE_UNAVAILABLE */
export async function readSettings(
  repository: Repository,
  revision: Revision,
): Promise<{ readonly bytes: Uint8Array | null } | { readonly problem: Problem }> {
  const entry = await repository.find(revision, SETTINGS_FILE);
  if (entry === null) return { bytes: null };
  if (entry.kind !== 'file') {
    return { problem: kindProblem(entry) ?? fileProblem(SETTINGS_FILE, 'is a folder', 'commit a file') };
  }
  const bytes = await repository.readBlob(entry.oid, MAX_FILE_BYTES);
  return bytes === null ? { problem: tooLarge(SETTINGS_FILE) } : { bytes };
}

function folderOf(
  manifestsFolder: ReadArgs['manifestsFolder'],
  settings: Uint8Array | null,
): string | readonly Problem[] {
  try {
    const parts = manifestsFolder(settings).split('/');
    if (!parts.includes('..')) return parts.filter((it) => it !== '' && it !== '.').join('/');
    return [fileProblem(SETTINGS_FILE, 'the manifests folder lies outside of the repository')];
  } catch (error) {
    if (!isSlipwayError(error)) return [fileProblem(SETTINGS_FILE, 'cannot be understood')];
    const { problems } = error.details;
    return Array.isArray(problems) ? (problems as Problem[]) : [fileProblem(SETTINGS_FILE, error.message)];
  }
}

async function listManifests(
  args: ReadArgs,
  folder: string,
): Promise<{ readonly found: readonly TreeEntry[] } | { readonly problem: Problem }> {
  const root = await args.repository.find(args.revision, folder);
  const shown = folder === '' ? 'the root folder' : `folder "${folder}"`;
  const kind = root === null ? null : kindProblem(root);
  if (kind !== null) return { problem: kind };
  if (root?.kind !== 'folder') throw nothingThere(args, `has no ${shown}`);
  const { entries, exceeded } = await args.repository.list(root.oid, MAX_FILES, args.signal);
  if (exceeded === 'files') return { problem: fileProblem(folder, `holds more than ${MAX_FILES} files or folders`) };
  if (exceeded === 'depth') return { problem: fileProblem(folder, 'has folders nested more than 32 deep') };
  const found = entries
    .map((it) => ({ ...it, path: folder === '' ? it.path : `${folder}/${it.path}` }))
    .filter((it) => it.path !== SETTINGS_FILE);
  if (found.length === 0) throw nothingThere(args, `has no files in ${shown}`);
  return { found };
}

/** Nobody empties a fleet by a rename: that there is nothing at all is taken for a failure. */
function nothingThere(args: ReadArgs, what: string): Error {
  const { name, branch } = args.repository;
  const at = `${args.revision.slice(0, 10)} (${branch})`;
  return unavailable(`${name} at ${at} ${what}: check [source] manifests in ${SETTINGS_FILE}`);
}

async function readFiles(
  args: ReadArgs,
  folder: string,
  entries: readonly TreeEntry[],
): Promise<{ readonly files: SourceFile[]; readonly problems: Problem[] } | { readonly problem: Problem }> {
  const files: SourceFile[] = [];
  const problems: Problem[] = [];
  let totalBytes = 0;
  for (let at = 0; at < entries.length; at += READS_AT_ONCE) {
    args.signal.throwIfAborted();
    const batch = entries.slice(at, at + READS_AT_ONCE);
    const contents = await Promise.all(batch.map((it) => args.repository.readBlob(it.oid, MAX_FILE_BYTES)));
    for (const [index, { path, oid }] of batch.entries()) {
      const bytes = contents[index] ?? null;
      totalBytes += bytes?.byteLength ?? 0;
      if (bytes === null) problems.push(tooLarge(path));
      else if (isLfsPointer(bytes)) problems.push(fileProblem(path, 'is a Git LFS pointer', 'commit the file itself'));
      else files.push({ path, oid, bytes });
    }
    if (totalBytes > MAX_TOTAL_BYTES) return { problem: fileProblem(folder, 'holds more than 16 MiB altogether') };
  }
  return { files, problems };
}

function tooLarge(path: string): Problem {
  return fileProblem(path, 'is larger than 1 MiB', 'split it: a namespace may be a folder of files');
}

function isLfsPointer(bytes: Uint8Array): boolean {
  return LFS_POINTER.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'));
}
