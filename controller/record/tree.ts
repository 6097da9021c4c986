/** What the tree of an entry's commit holds, and back. Pure. No secrets: specs have names and versions of them only. */
import { canonicalJson, digestOf } from '../../schemas/canonical.ts';
import type { Digest } from '../../schemas/names.ts';
import { LogEntry } from '../../schemas/release.ts';
import { ServiceSpec } from '../../schemas/service.ts';
import type { LedgerEntry } from './describe-entry.ts';

/** The release itself, canonical: these bytes are the log's. */
const RELEASE = 'release.json';
/** What the namespace is made of, for people. */
const MANIFEST = 'manifest.json';
const SPEC = /^specs\/([0-9a-f]{64})\.json$/;
const OTHER_ENTRY = /^log\/(\d{1,15})\.json$/;

/** What a tree says; `problems` is not empty: nothing of it is to be believed. */
export interface TreeContents {
  /** Ascending. */
  readonly entries: readonly LogEntry[];
  readonly specs: ReadonlyMap<Digest, ServiceSpec>;
  readonly problems: readonly string[];
}

/**
 * Files by path. A release has its manifest and all specs that it names.
 *
 * @param between entries since the commit before that have none of their own
 */
export function treeOf(args: {
  readonly entry: LedgerEntry;
  readonly between: readonly LogEntry[];
  readonly specs: ReadonlyMap<Digest, unknown>;
}): Map<string, Uint8Array> {
  const { entry, between, specs } = args;
  const files = new Map<string, Uint8Array>();
  const put = (path: string, text: string) => files.set(path, Buffer.from(text, 'utf8'));
  const others = entry.kind === 'release' ? between : [...between, entry];
  for (const it of others) put(`log/${it.n}.json`, canonicalJson(it));
  if (entry.kind !== 'release') return files;
  put(RELEASE, canonicalJson(entry));
  for (const [digest, spec] of specs) put(`specs/${digest}.json`, canonicalJson(spec));
  const services = Object.values(entry.services).map((digest) => specs.get(digest));
  put(MANIFEST, readable({ namespace: entry.namespace, services, volumes: entry.volumes }));
  return files;
}

/** Digests of the specs that the entry names, each once, in order. */
export function specsNamedBy(entry: LogEntry): Digest[] {
  if (entry.kind !== 'release') return [];
  return [...new Set([...Object.values(entry.services), ...entry.slots.map((it) => it.spec)])].toSorted();
}

/** What the files say, each checked: an entry by its schema and namespace, a spec by its digest. */
export function readTree(namespace: string, files: ReadonlyMap<string, Uint8Array>): TreeContents {
  const entries: LogEntry[] = [];
  const specs = new Map<Digest, ServiceSpec>();
  const problems: string[] = [];
  for (const [path, bytes] of files) {
    const value = parseJson(bytes);
    const digest = SPEC.exec(path)?.[1];
    if (digest !== undefined) {
      // The value as it was stored: its digest is of exactly that.
      const isSpec = ServiceSpec.safeParse(value).success && digestOf(value) === digest;
      if (isSpec) specs.set(digest, value as ServiceSpec);
      else problems.push(`${path} is not the spec that its name says`);
      continue;
    }
    const n = path === RELEASE ? null : OTHER_ENTRY.exec(path)?.[1];
    if (n === undefined) continue;
    const entry = LogEntry.safeParse(value);
    const fits = entry.success && entry.data.namespace === namespace && (n === null || entry.data.n === Number(n));
    if (fits) entries.push(entry.data);
    else problems.push(`${path} is not an entry of the log of ${namespace}`);
  }
  for (const entry of entries)
    for (const it of specsNamedBy(entry)) if (!specs.has(it)) problems.push(`the spec ${it} is missing`);
  return { entries: entries.toSorted((a, b) => a.n - b.n), specs, problems };
}

function readable(value: unknown): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
