/**
 * The door of this room: the files of a revision → what each namespace asks for, and every problem. Pure.
 *
 * A namespace with a problem is invalid: nothing of it is planned and nothing of it is removed. The others go on.
 */

import { type LockEntry, ManifestLock } from '../../schemas/manifest.ts';
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Problem } from '../../schemas/problem.ts';
import { PREVIEW_SECRETS } from '../../schemas/secret.ts';
import type { Desired, DesiredService } from '../../schemas/service.ts';
import type { Settings } from '../../schemas/settings.ts';
import { checkContainer } from './check-container.ts';
import { checkNamespace } from './check-namespace.ts';
import { checkRun } from './check-run.ts';
import { checkTraffic } from './check-traffic.ts';
import { checkClaims } from './claims.ts';
import { explainIssues, flattenIssues } from './explain.ts';
import { groupFiles, type NamespaceFiles } from './files.ts';
import { applyLock, lockOf, type NamespaceLock } from './lock.ts';
import { type NamespaceParts, readParts } from './parts.ts';
import { quoted } from './places.ts';
import { type ManifestFile, readDocument } from './read.ts';
import { createReport, orderedProblems } from './report.ts';
import { resolveNamespace } from './resolve.ts';
import { type SplitSeed, splitSeed } from './seed.ts';
import { byText } from './sorted.ts';

export interface Loaded {
  /** The namespaces without problems, in order of name. */
  readonly desired: readonly Desired[];
  /** Everything that is wrong, in order of file, line and column. */
  readonly problems: readonly Problem[];
  /** Namespaces with a problem: their files are there, so they are not removed; what they ask for is not known. */
  readonly invalid: ReadonlySet<string>;
  /** The seed jobs that were taken out, by namespace: they run in forks only. */
  readonly seeds: ReadonlyMap<string, DesiredService>;
  /** Lock files by namespace, of the ones without problems; what they pin is in `desired`. */
  readonly locks: ReadonlyMap<string, NamespaceLock>;
  /** Entries of lock files that say nothing any more; they stop nothing. */
  readonly notices: readonly Problem[];
}

/** Reads all namespaces of a fleet repository. `files`: blobs of one revision; those outside the manifests folder are left alone. */
export function loadNamespaces(files: readonly ManifestFile[], settings: Settings): Loaded {
  const root = settings.source.manifests;
  const set = groupFiles(files, root);
  const count = set.namespaces.reduce((sum, it) => sum + it.files.length, 0);
  if (count > LIMITS.files) {
    const problem = whole(root, `has ${count} manifests; ${LIMITS.files} are read at most`);
    return {
      desired: [],
      problems: [problem],
      invalid: new Set(set.namespaces.map((it) => it.namespace)),
      seeds: new Map(),
      locks: new Map(),
      notices: [],
    };
  }
  const checked = set.namespaces.map((it) => checkFiles(it, settings));
  checkClaims(checked.flatMap(({ namespace, parts }) => parts.services.map((part) => ({ namespace, part }))));
  const invalid = new Set(checked.filter((it) => it.problems.length > 0).map((it) => it.namespace));
  const valid = checked.filter((it) => !invalid.has(it.namespace)).toSorted(byText((it) => it.namespace));
  // A file that calls itself otherwise than it is named may be a renamed one: what it claims to be is not removed either.
  const named = new Set(checked.map((it) => it.namespace));
  for (const claimed of checked.flatMap((it) => it.parts.claimed)) if (!named.has(claimed)) invalid.add(claimed);
  const split = valid.map(({ namespace, parts }) => resolve(namespace, parts, settings));
  const notices: Problem[] = [];
  const locked = split.map(({ desired }, at) => {
    const lock = valid[at]?.lock ?? null;
    if (lock === null) return desired;
    const applied = applyLock(desired, lock.entries);
    for (const { entry, why } of applied.stale) notices.push(lock.notice(entry, why));
    return applied.desired;
  });
  return {
    desired: locked,
    seeds: new Map(split.flatMap(({ desired, seed }) => (seed === null ? [] : [[desired.namespace, seed]]))),
    problems: orderedProblems([...set.problems, ...checked.flatMap((it) => it.problems)], LIMITS.problemsPerFile),
    invalid,
    locks: new Map(valid.flatMap((it) => (it.lock === null ? [] : [[it.namespace, it.lock]]))),
    notices: orderedProblems(notices, LIMITS.problemsPerFile),
  };
}

/** Reads one manifest by itself (`slipway deploy -f FILE`), whatever its name; null when it has problems. */
export function loadManifest(
  file: ManifestFile,
  settings: Settings,
): { readonly desired: Desired | null; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const parts = readParts({ files: [file], namespace: null, isFolder: false }, problems);
  const namespace = parts.claimed[0];
  if (namespace !== undefined) {
    problems.push(...reserved(namespace, file.path));
    checkParts(namespace, parts, settings);
    checkClaims(parts.services.map((part) => ({ namespace, part })));
  }
  const desired = problems.length > 0 || namespace === undefined ? null : resolve(namespace, parts, settings).desired;
  return { desired, problems: orderedProblems(problems, LIMITS.problemsPerFile) };
}

interface CheckedNamespace {
  readonly namespace: string;
  readonly parts: NamespaceParts;
  readonly lock: ReadLock | null;
  /** Grows while claims are compared. */
  readonly problems: Problem[];
}

function checkFiles(
  { namespace, folder, files, lock, problems: misplaced }: NamespaceFiles,
  settings: Settings,
): CheckedNamespace {
  const problems = [...misplaced];
  // When a file and a folder make one namespace, each by itself would be a whole: neither is looked into.
  const readable = misplaced.some((it) => files.some((file) => file.path === it.file)) ? [] : files;
  const parts = readParts({ files: readable, namespace, isFolder: folder !== null }, problems);
  if (files[0] !== undefined) problems.push(...reserved(namespace, files[0].path));
  checkParts(namespace, parts, settings);
  return { namespace, parts, problems, lock: lock === null ? null : readLock(lock, problems) };
}

function checkParts(namespace: string, parts: NamespaceParts, settings: Settings): void {
  const volumes = new Set(parts.volumeNames.map((it) => it.name));
  for (const { input, report } of parts.services) {
    checkContainer(input, { namespace, settings, volumes, report });
    checkTraffic(input, report);
    checkRun(input, report);
  }
  checkNamespace(parts);
}

/** A lock, and how something is said of the line of one of its entries. */
interface ReadLock extends NamespaceLock {
  notice(entry: LockEntry, why: string): Problem;
}

function readLock(file: ManifestFile, problems: Problem[]): ReadLock | null {
  const read = readDocument(file);
  if (!read.ok) {
    problems.push(...read.problems);
    return null;
  }
  const { document } = read;
  const parsed = ManifestLock.safeParse(document.value);
  if (!parsed.success) {
    explainIssues(
      flattenIssues(parsed.error.issues, document.value),
      document.value,
      [],
      createReport(document, problems),
    );
    return null;
  }
  const lock = lockOf(file.path, parsed.data);
  for (const [at, { service }] of lock.entries.entries()) {
    if (lock.entries.findIndex((it) => it.service === service) === at) continue;
    createReport(document, problems)(['images', at, 'service'], `${quoted(service)} has an entry already`);
  }
  return {
    ...lock,
    notice(entry, why) {
      const found: Problem[] = [];
      const message = `the digest of ${quoted(entry.service)} (${quoted(entry.image)}) is not used: ${why}`;
      const hint = 'the next `slipway promote` takes the entry out';
      createReport(document, found)(['images', lock.entries.indexOf(entry)], message, { hint });
      return found[0] ?? whole(file.path, message);
    },
  };
}

function resolve(namespace: string, parts: NamespaceParts, settings: Settings): SplitSeed {
  const whole = resolveNamespace({
    namespace,
    services: parts.services.map((it) => it.input),
    volumes: parts.volumes.map((it) => it.input),
    env: settings.env,
  });
  return splitSeed(whole, settings.previews.seedJob);
}

/** The name under which the secrets of previews lie must not be one that a manifest can read them by. */
function reserved(namespace: string, file: string): Problem[] {
  if (namespace !== PREVIEW_SECRETS) return [];
  const message = `no namespace may be called "${PREVIEW_SECRETS}": the secrets of previews have that name`;
  return [{ ...whole(file, message), hint: 'give it another name' }];
}

function whole(file: string, message: string): Problem {
  return { file, line: 0, column: 0, path: '', message };
}
