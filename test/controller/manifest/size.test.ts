/** A file within the size limit is read, or refused, in a time that nobody notices, whatever a stranger wrote into it. */
import { expect, it } from 'vitest';
import { readDocument } from '../../../controller/manifest/read.ts';

const MIB = 2 ** 20;
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const read = (ending: string, text: string) =>
  readDocument({ path: `a.${ending}`, bytes: Buffer.from(text.slice(0, MIB)) });

it.each([
  ['yaml', 'a list of empty tables', `services: [${'{},'.repeat(340_000)}]`],
  ['yaml', 'a table of keys that are compared with each other', lines(80_000, (i) => `k${i}: 1`)],
  ['yaml', 'documents with a mistake each', '---\n}\n'.repeat(170_000)],
  ['yaml', 'nothing but mistakes', '}'.repeat(MIB)],
  ['toml', 'a table of many keys', lines(80_000, (i) => `k${i} = 1`)],
  ['json', 'a list of empty tables', `[${'{},'.repeat(340_000)}{}]`],
])('a large %s file with %s is refused, by a few problems', (ending, _, text) => {
  const startedMs = performance.now();
  const result = read(ending, text);
  expect(result.ok ? 0 : result.problems.length).toBeGreaterThan(0);
  expect(result.ok ? 0 : result.problems.length).toBeLessThanOrEqual(100);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

it('says how many members a list may have, and where the list is', () => {
  const list = (count: number) => `{\n "services": [${Array.from({ length: count }, () => '1').join(',')}] }`;
  expect(read('json', list(2_000)).ok).toBe(true);
  for (const ending of ['json', 'yaml'])
    expect(read(ending, list(2_001))).toMatchObject({
      ok: false,
      problems: [{ line: 2, message: 'has 2001 members; a list or table has 2000 at most' }],
    });
});

it('three hundred services of forty settings each are read', () => {
  const service = (i: number) => `- name: s${i}\n  env:\n${lines(38, (k) => `    K${k}: "v"`)}`;
  expect(read('yaml', `services:\n${lines(300, service)}`).ok).toBe(true);
});
