/** One file's bytes → a document (value with places), or its problems. Pure; never throws, whatever the bytes are. */
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Problem } from '../../schemas/problem.ts';
import { type Fault, membersFault, type Parsed } from './parsed.ts';
import { createPlaces, type Path, type Place, type Places, pathText, placeAt, quoted } from './places.ts';
import { readJson } from './read-json.ts';
import { readToml } from './read-toml.ts';
import { readYaml } from './read-yaml.ts';

/** A file of the fleet repository; `path` from the root of the repository, with `/`. */
export interface ManifestFile {
  readonly path: string;
  /** Of a file larger than the limit, the first LIMITS.fileBytes + 1 bytes are enough. */
  readonly bytes: Uint8Array;
}

/** A file that was read: its value is made of plain objects, arrays and scalars at most LIMITS.depth deep. */
export interface Document {
  readonly file: string;
  readonly value: unknown;
  readonly places: Places;
}

export type ReadResult =
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const READERS: Readonly<Record<string, (text: string) => Parsed>> = {
  toml: readToml,
  yaml: readYaml,
  yml: readYaml,
  json: readJson,
};

/** The ending that says how a file is read; null: not a manifest. */
export function formatOf(path: string): string | null {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ending = name.slice(name.lastIndexOf('.') + 1);
  return name.includes('.') && Object.hasOwn(READERS, ending) ? ending : null;
}

/** Reads a file by its ending. */
export function readDocument({ path, bytes }: ManifestFile): ReadResult {
  const whole = (message: string, hint?: string): ReadResult =>
    refused(path, [withHint({ place: null, message }, hint)]);
  const read = READERS[formatOf(path) ?? ''];
  if (read === undefined) return whole('is neither TOML, YAML nor JSON', 'name it *.toml, *.yaml or *.json');
  if (bytes.length > LIMITS.fileBytes) return whole(`is larger than ${LIMITS.fileBytes / 1024} KiB`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return whole('is not valid UTF-8', 'save it as UTF-8');
  }
  const nul = text.indexOf('\0');
  if (nul >= 0) return refused(path, [{ place: placeAt(text, nul), message: 'has a NUL character in it' }]);
  const parsed = read(text);
  if (!parsed.ok) return refused(path, parsed.faults);
  const places = createPlaces(text, parsed.root);
  const faults = unsafeParts(parsed.value, places);
  return faults.length > 0
    ? { ok: false, problems: faults.map((it) => problemOf(path, it)) }
    : { ok: true, document: { file: path, value: parsed.value, places } };
}

interface PlacedFault extends Fault {
  readonly path?: string;
}

/** Depth, number, `__proto__`, and strings that no process can be given. Walks with a stack of its own. */
function unsafeParts(value: unknown, places: Places): PlacedFault[] {
  const faults: PlacedFault[] = [];
  const open: { readonly value: unknown; readonly path: Path }[] = [{ value, path: [] }];
  let count = 0;
  const report = (path: Path, part: 'key' | 'value', message: string): void => {
    faults.push({ place: places.at(path, part), path: pathText(path), message });
  };
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: it, path } = next;
    if (typeof it === 'string' && UNSAFE_TEXT.test(it)) report(path, 'value', 'has a NUL or half a character in it');
    if (it === null || typeof it !== 'object') continue;
    if (path.length >= LIMITS.depth) {
      return [{ place: places.at(path, 'key'), message: `nested deeper than ${LIMITS.depth} levels` }];
    }
    const members: readonly (readonly [string | number, unknown])[] = Array.isArray(it)
      ? [...it.entries()]
      : Object.entries(it);
    count += members.length;
    const much = membersFault(members.length, count);
    if (much !== null) return [{ place: places.at(path, 'key'), path: pathText(path), message: much }];
    for (const [key, member] of members) {
      if (key === '__proto__') report([...path, key], 'key', `unknown key ${quoted(key)}`);
      else if (typeof key === 'string' && UNSAFE_TEXT.test(key))
        report([...path, key], 'key', 'has a NUL or half a character in it');
      else open.push({ value: member, path: [...path, key] });
    }
  }
  return faults;
}

/** NUL, or half of a surrogate pair. */
const UNSAFE_TEXT = /\0|\p{Surrogate}/u;

function refused(file: string, faults: readonly PlacedFault[]): ReadResult {
  return { ok: false, problems: faults.map((it) => problemOf(file, it)) };
}

function problemOf(file: string, fault: PlacedFault): Problem {
  const { line, column }: Place = fault.place ?? { line: 0, column: 0 };
  const problem = { file, line, column, path: fault.path ?? '', message: fault.message };
  return fault.hint === undefined ? problem : { ...problem, hint: fault.hint };
}

function withHint(fault: Fault, hint: string | undefined): Fault {
  return hint === undefined ? fault : { ...fault, hint };
}
