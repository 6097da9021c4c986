/** The files of a namespace → its services and volumes, each with the place it came from. Pure. */
import { Manifest, ManifestService, ManifestVolume } from '../../schemas/manifest.ts';
import { LABEL } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import { explainIssues, type FlatIssue, flattenIssues, valueAt } from './explain.ts';
import { MANIFEST_FIELDS, placesOf } from './field-table.ts';
import { groupBy } from './group-by.ts';
import { type Path, type Place, quoted } from './places.ts';
import { type Document, type ManifestFile, readDocument } from './read.ts';
import { createReport, type Report } from './report.ts';

/** A service or volume as written, in the right form, and where it stands. */
export interface Part<T> {
  readonly input: T;
  readonly document: Document;
  readonly base: Path;
  readonly report: Report;
}

export interface NamespaceParts {
  readonly services: readonly Part<ManifestService>[];
  readonly volumes: readonly Part<ManifestVolume>[];
  /** Names that are written, also those of services and volumes in a wrong form. */
  readonly serviceNames: readonly NamedPlace[];
  readonly volumeNames: readonly NamedPlace[];
  /** What the files call the namespace. */
  readonly claimed: readonly string[];
}

export interface NamedPlace {
  readonly name: string;
  readonly document: Document;
  readonly place: Place;
  readonly report: Report;
}

export interface PartsArgs {
  readonly files: readonly ManifestFile[];
  /** Name that the file or folder has; null: whatever the file says. */
  readonly namespace: string | null;
  /** Whether several files make it, each a part. */
  readonly isFolder: boolean;
}

/** Reads every file; problems of form go to `problems`, and what is in the right form is given back nevertheless. */
export function readParts({ files, namespace, isFolder }: PartsArgs, problems: Problem[]): NamespaceParts {
  const parts: Collected = {
    services: [],
    volumes: [],
    serviceNames: [],
    volumeNames: [],
    claimed: [],
    lists: 0,
    unread: 0,
  };
  for (const file of files) {
    const read = readDocument(file);
    if (read.ok) readPart(read.document, { namespace, isFolder }, parts, problems);
    else {
      parts.unread += 1;
      problems.push(...read.problems);
    }
  }
  const file = files[0]?.path;
  if (parts.lists === 0 && parts.unread === 0 && isFolder && file !== undefined) {
    problems.push({
      file,
      line: 0,
      column: 0,
      path: 'services',
      message: `is required in one of the files. ${EMPTY_LIST}`,
    });
  }
  return parts;
}

const EMPTY_LIST = 'An empty list removes every service of the namespace';

interface Collected extends NamespaceParts {
  readonly services: Part<ManifestService>[];
  readonly volumes: Part<ManifestVolume>[];
  readonly serviceNames: NamedPlace[];
  readonly volumeNames: NamedPlace[];
  readonly claimed: string[];
  /** How many files have a list of services. */
  lists: number;
  unread: number;
}

function readPart(
  document: Document,
  { namespace, isFolder }: Omit<PartsArgs, 'files'>,
  parts: Collected,
  problems: Problem[],
): void {
  const { value } = document;
  const report = createReport(document, problems);
  if (isEmpty(value)) {
    report([], `the file is empty. A namespace without services says so: services = []`);
    return;
  }
  const parsed = Manifest.safeParse(value);
  const issues = parsed.success ? [] : flattenIssues(parsed.error.issues, value);
  explainIssues(issues, value, MANIFEST_FIELDS, report);
  reportRefused(value, report);
  checkNamespace(value, { namespace, isFolder }, parts, report);
  if (valueAt(value, ['services']) !== undefined) parts.lists += 1;
  else if (!isFolder) report(['services'], `is required. ${EMPTY_LIST}`);
  collect({
    document,
    issues,
    problems,
    list: 'services',
    schema: ManifestService,
    into: parts.services,
    names: parts.serviceNames,
  });
  collect({
    document,
    issues,
    problems,
    list: 'volumes',
    schema: ManifestVolume,
    into: parts.volumes,
    names: parts.volumeNames,
  });
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

function reportRefused(value: unknown, report: Report): void {
  for (const row of MANIFEST_FIELDS.filter((it) => it.status === 'refused')) {
    for (const path of placesOf(row, value)) {
      const what = row.form === undefined ? 'is' : `${row.form.shown.replaceAll('`', '')} is`;
      report(path, `${what} not supported yet: ${row.reason ?? ''}`, {
        part: row.form === undefined ? 'key' : 'value',
      });
    }
  }
}

function checkNamespace(
  value: unknown,
  { namespace, isFolder }: Omit<PartsArgs, 'files'>,
  parts: Collected,
  report: Report,
): void {
  const written = valueAt(value, ['namespace']);
  if (written === undefined && !isFolder) report(['namespace'], 'is required');
  if (typeof written !== 'string' || !LABEL.test(written)) return;
  parts.claimed.push(written);
  if (namespace !== null && written !== namespace) {
    const what = isFolder ? 'folder' : 'file';
    report(['namespace'], `the ${what} is called ${quoted(namespace)}, but this says ${quoted(written)}`, {
      hint: `rename the ${what}, or write ${quoted(namespace)}`,
    });
  }
}

interface CollectArgs<T> {
  readonly document: Document;
  readonly issues: readonly FlatIssue[];
  readonly problems: Problem[];
  readonly list: 'services' | 'volumes';
  readonly schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } };
  readonly into: Part<T>[];
  readonly names: NamedPlace[];
}

/** Takes every element, without what is wrong in it, so that what its other fields mean together is checked too. */
function collect<T>({ document, issues, problems, list, schema, into, names }: CollectArgs<T>): void {
  const elements = valueAt(document.value, [list]);
  if (!Array.isArray(elements)) return;
  const issuesByIndex = groupBy(
    issues.filter((it) => it.path[0] === list),
    (it) => it.path[1],
  );
  elements.forEach((element: unknown, index) => {
    const base = [list, index];
    const report = createReport(document, problems, base);
    const name = valueAt(element, ['name']);
    if (typeof name === 'string')
      names.push({ name, document, place: document.places.at([...base, 'name'], 'value'), report });
    const parsed = schema.safeParse(withoutFaults(element, issuesByIndex.get(index) ?? []));
    if (parsed.success) into.push({ input: parsed.data, document, base, report });
  });
}

/** Members that others refer to: without them the others would look wrong. */
const REFERRED: ReadonlySet<unknown> = new Set(['name', 'template', 'service_ports', 'placement', 'network', 'job']);

/**
 * A copy without unknown keys and without the members that have issues; undefined where nothing sensible is left. A
 * namespace with an issue is invalid anyway: the copy only serves to find further problems.
 */
function withoutFaults(element: unknown, issues: readonly FlatIssue[]): unknown {
  if (issues.length === 0) return element;
  const copy: unknown = structuredClone(element);
  for (const { path, issue } of issues) {
    const inner = path.slice(2);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) removeAt(copy, [...inner, key]);
      continue;
    }
    const member = inner[0] === 'template' && inner.length > 1 ? inner.slice(0, 2) : inner.slice(0, 1);
    if (member.length < 2 && REFERRED.has(member[0])) return undefined;
    removeAt(copy, member);
    if (member[1] === 'image') Object.assign(valueAt(copy, ['template']) ?? {}, { image: 'unknown' });
  }
  return copy;
}

function removeAt(value: unknown, path: Path): void {
  const parent = valueAt(value, path.slice(0, -1));
  if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, path.at(-1) ?? '');
}
