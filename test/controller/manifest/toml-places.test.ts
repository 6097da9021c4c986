/** Places in TOML, form by form. */
import { expect, it } from 'vitest';
import { createPlaces, type Path } from '../../../controller/manifest/places.ts';
import { readToml } from '../../../controller/manifest/read-toml.ts';

function placeOf(text: string, path: Path, part: 'key' | 'value' = 'value'): string {
  const read = readToml(text);
  if (!read.ok) throw new Error(read.faults[0]?.message);
  const { line, column } = createPlaces(text, read.root).at(path, part);
  return `${line}:${column}`;
}

const TEXT = `# comment with = and [brackets]
title = "a # b" # c
"quoted \\u006bey" . 'other' = 1
[table.inner]   # d
a.b = { x = 1, "y z" = [ 1,
  { deep = true }, ], }
text = """
[not.a.table]
c = "\\"" \\""" ""\\"
"""
raw = '''it's ''still'' [[x]]'''
date = 1979-05-27 07:32:00 # e
[[list]]
n = 1
  [list.sub]
  m = 2
[[list]]
n = 3
[[list.nested]]
k = [[1, 2], [3]]
[[list.nested]]
k = 9
last = 5`;

it.each<[Path, string, string]>([
  [['title'], '2:1', '2:9'],
  [['quoted key', 'other'], '3:1', '3:31'],
  [['table', 'inner'], '4:2', '4:2'],
  [['table', 'inner', 'a', 'b'], '5:1', '5:7'],
  [['table', 'inner', 'a', 'b', 'x'], '5:9', '5:13'],
  [['table', 'inner', 'a', 'b', 'y z'], '5:16', '5:24'],
  [['table', 'inner', 'a', 'b', 'y z', 0], '5:26', '5:26'],
  [['table', 'inner', 'a', 'b', 'y z', 1, 'deep'], '6:5', '6:12'],
  [['table', 'inner', 'text'], '7:1', '7:8'],
  [['table', 'inner', 'raw'], '11:1', '11:7'],
  [['table', 'inner', 'date'], '12:1', '12:8'],
  [['list', 0], '13:3', '13:3'],
  [['list', 0, 'n'], '14:1', '14:5'],
  [['list', 0, 'sub', 'm'], '16:3', '16:7'],
  [['list', 1, 'n'], '18:1', '18:5'],
  [['list', 1, 'nested', 0, 'k', 1, 0], '20:15', '20:15'],
  [['list', 1, 'nested', 1, 'last'], '23:1', '23:8'],
])('%j has its key at %s and its value at %s', (path, key, value) => {
  expect(placeOf(TEXT, path, 'key')).toBe(key);
  expect(placeOf(TEXT, path)).toBe(value);
});

it('ends a long string after the quotes that stand before its closing ones', () => {
  const text = `a = """x""""" # two quotes at the end\nb = '''x''''\nc = 1\n`;
  expect([placeOf(text, ['a']), placeOf(text, ['b']), placeOf(text, ['c'], 'key')]).toEqual(['1:5', '2:5', '3:1']);
  expect(placeOf(`list = ["""x""""", 5]\n`, ['list', 1])).toBe('1:20');
});

it('gives the nearest ancestor for what is not there', () => {
  expect(placeOf(TEXT, ['list', 1, 'missing', 'more'])).toBe('17:3');
  expect(placeOf(TEXT, ['missing'])).toBe('1:1');
});
