/** What holds for every input: never a throw, no dependence on order, places that point at what they name. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { expect, it } from 'vitest';
import { createPlaces, type PlaceNode } from '../../../controller/manifest/places.ts';
import { formatOf, readDocument } from '../../../controller/manifest/read.ts';
import { readJson } from '../../../controller/manifest/read-json.ts';
import { readToml } from '../../../controller/manifest/read-toml.ts';
import { desiredDigest } from '../../../controller/manifest/resolve.ts';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { Desired } from '../../../schemas/service.ts';
import { load, manifest, service } from './fleet.ts';

/** Why a property does not hold: null when it neither throws nor gives false. */
function failureOf<T>(property: fc.IRawProperty<T>, parameters?: fc.Parameters<T>): string | null {
  const details = fc.check(property, parameters) as fc.RunDetails<T>;
  return details.failed ? (fc.defaultReportMessage(details) ?? 'it failed') : null;
}

const ENDINGS = ['toml', 'yaml', 'json'];

it('never throws, whatever the bytes are', () => {
  const failure = failureOf(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...ENDINGS), (bytes, ending) => {
      load({ [`a.${ending}`]: bytes });
      parseSettings(bytes);
    }),
    { numRuns: 500 },
  );
  expect(failure).toBeNull();
});

it('never throws on pieces of manifests in any order', () => {
  const pieces = [
    'namespace',
    'services',
    ':',
    '=',
    '[[',
    ']]',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '"""',
    '\n',
    '- ',
    ', ',
    '&a ',
    '*a',
    '? ',
    '| ',
    '!!',
    '#',
    '\\',
    '1',
    'a.b',
    '\t',
    '%',
    '---\n',
    'null',
    '<<',
  ];
  const failure = failureOf(
    fc.property(
      fc.array(fc.constantFrom(...pieces), { maxLength: 40 }),
      fc.constantFrom(...ENDINGS),
      (parts, ending) => {
        load({ [`a.${ending}`]: parts.join('') });
      },
    ),
    { numRuns: 2000 },
  );
  expect(failure).toBeNull();
});

it('never throws on any value in the place of any field', () => {
  const keys = [
    'namespace',
    'services',
    'volumes',
    'name',
    'template',
    'image',
    'env',
    'mounts',
    'source',
    'placement',
    'routes',
    'http',
    'readiness',
    'strategy',
    'rolling',
    'depends_on',
    'publish',
    'service_ports',
    'network',
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 1, '', 'a', '10s'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }),
    ),
  }));
  const failure = failureOf(
    fc.property(value, (it) => {
      const loaded = load({ 'a.json': JSON.stringify(it) });
      for (const desired of loaded.desired) Desired.parse(desired);
    }),
    { numRuns: 1000 },
  );
  expect(failure).toBeNull();
});

it('gives the same namespaces and problems in whatever order the files come', () => {
  const files: [string, string][] = [
    ['production/a.json', JSON.stringify({ services: [service({ name: 'a', depends_on: { b: 'ready' } })] })],
    ['production/b.json', JSON.stringify({ services: [service({ name: 'b' }), service({ name: 'c' })] })],
    ['staging.json', manifest().replace('production', 'staging')],
    ['broken.toml', 'x'],
    ['twice/a.json', JSON.stringify({ services: [service()] })],
    ['twice/b.json', JSON.stringify({ services: [service()] })],
  ];
  const expected = load(Object.fromEntries(files));
  expect(expected.desired.map((it) => it.namespace)).toEqual(['production', 'staging']);
  fc.assert(
    fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
      expect(load(Object.fromEntries(shuffled))).toEqual(expected);
    }),
  );
});

it('gives one digest in whatever order a manifest lists what has no order', () => {
  const ports = [1, 2, 3].map((it) => ({ name: `p${it}`, container_port: it }));
  const mounts = ['/a', '/b', '/c'].map((target) => ({ source: 'tmpfs', target }));
  const digest = (p: readonly object[], m: readonly object[]): string => {
    const routes = p.map((it) => ({
      http: { service_port: (it as { name: string }).name, hostnames: [`${(it as { name: string }).name}.test`] },
    }));
    const text = manifest([
      service({ service_ports: p, routes, template: { mounts: m, image: 'x:1' } }),
      service({ name: 'a' }),
    ]);
    const [desired] = load({ 'production.json': text }).desired;
    return desired === undefined ? 'invalid' : desiredDigest(desired);
  };
  const expected = digest(ports, mounts);
  expect(expected).toMatch(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(fc.shuffledSubarray(ports, { minLength: 3 }), fc.shuffledSubarray(mounts, { minLength: 3 }), (p, m) => {
      expect(digest(p, m)).toBe(expected);
    }),
  );
});

it('accepts exactly the JSON that JSON.parse accepts, but for duplicate keys', () => {
  const broken = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.constantFrom('', ',', '"', '}', '1', ' ', '\n', 'e'))
    .map(([text, at, piece]) => {
      const position = at % (text.length + 1);
      return text.slice(0, position) + piece + text.slice(position + 1);
    });
  const failure = failureOf(
    fc.property(fc.oneof(fc.json({ maxDepth: 4 }), broken), (text) => {
      const ours = readJson(text);
      let theirs: { readonly value: unknown } | null = null;
      try {
        theirs = { value: JSON.parse(text) };
      } catch {
        // Refused.
      }
      const isDuplicate = !ours.ok && ours.faults.some((it) => it.message.includes('stands twice'));
      return isDuplicate || (ours.ok ? isDeepStrictEqual(ours.value, theirs?.value) : theirs === null);
    }),
    { numRuns: 2000 },
  );
  expect(failure).toBeNull();
});

it('finds a place for every key of TOML, and the key stands there', () => {
  const key = fc
    .oneof(fc.stringMatching(/^[a-z_-]{1,4}$/), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }))
    .filter((it) => it !== '__proto__');
  const { table } = fc.letrec<{ table: Record<string, unknown>; value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
      fc.boolean(),
      fc.array(fc.integer(), { maxLength: 3 }),
      fc.array(tie('table'), { minLength: 1, maxLength: 3 }),
      tie('table'),
    ),
    table: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<
      Record<string, unknown>
    >,
  }));
  const failure = failureOf(
    fc.property(table, (value) => {
      const text = stringify(value);
      const read = readToml(text);
      if (!read.ok) throw new Error(`${read.faults[0]?.message} in ${text}`);
      checkPlaces(read.value, read.root, text);
    }),
    { numRuns: 500 },
  );
  expect(failure).toBeNull();
});

/** Throws unless every member has a node, and the text at its place begins its value. */
function checkPlaces(value: unknown, node: PlaceNode | undefined, text: string): void {
  if (node === undefined) throw new Error(`no place for ${JSON.stringify(value)}`);
  const there = text.slice(node.valueOffset);
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  if (isScalar && !there.startsWith(String(value))) throw new Error(`${value} is not at ${node.valueOffset}`);
  if (typeof value === 'string' && !there.startsWith(stringify({ x: value }).slice('x = '.length).trim())) {
    throw new Error(`${JSON.stringify(value)} is not at ${node.valueOffset}`);
  }
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  if (node.children.size !== entries.length)
    throw new Error(`${node.children.size} places for ${entries.length} members`);
  for (const [key, member] of entries) checkPlaces(member, node.children.get(key), text);
}

it('gives lines and columns from 1', () => {
  const node: PlaceNode = { keyOffset: 0, valueOffset: 0, children: new Map() };
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é') }), fc.nat(), (text, at) => {
      const offset = at % (text.length + 1);
      const child = { keyOffset: offset, valueOffset: offset, children: new Map() };
      const { line, column } = createPlaces(text, { ...node, children: new Map([['x', child]]) }).at(['x'], 'value');
      const lines = text.slice(0, offset).split('\n');
      expect([line, column]).toEqual([lines.length, (lines.at(-1) ?? '').length + 1]);
    }),
  );
});

it('knows the format by the ending alone', () => {
  expect(['a.toml', 'x/a.yml', 'a.json', 'a.TOML', 'toml', '.toml', 'a.constructor'].map(formatOf)).toEqual([
    'toml',
    'yml',
    'json',
    null,
    null,
    'toml',
    null,
  ]);
  expect(readDocument({ path: 'a.txt', bytes: new Uint8Array() }).ok).toBe(false);
});
