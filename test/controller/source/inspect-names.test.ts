import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Candidate, inspectEntries } from '../../../controller/source/inspect-names.ts';

function entry(path: string, kind: Candidate['kind'] = 'file'): Candidate {
  return { path, kind, oid: '0'.repeat(40) };
}

it.each([
  'n/a\nb.toml',
  'n/a\u001b[2J.toml',
  'n/a\u202eb.toml',
  'n/\u200bweb.toml',
  'n/\uFFFD.toml',
  'n/../etc/passwd',
  'n/./a',
  'n//a',
  '../a',
  'n/.git/config',
  'n/.GIT/config',
  'n/a\\b',
  'n/-rf',
  '-rf',
  `n/${'a'.repeat(1_100)}`,
])('refuses the name %j', (path) => {
  const { accepted, problems } = inspectEntries([entry(path)]);
  expect(accepted).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.file).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it.each(['n/a.toml', 'n/..a', 'n/.gitignore', 'n/a-b.toml', 'n/größe.toml', 'n/名.toml'])(
  'takes the name %j',
  (path) => {
    expect(inspectEntries([entry(path)])).toEqual({ accepted: [entry(path)], problems: [] });
  },
);

it('refuses every one of names that differ in case or in normalisation only', () => {
  const names = ['n/A.toml', 'n/a.toml', 'n/\u00e9.toml', 'n/e\u0301.toml', 'n/other.toml'];
  const { accepted, problems } = inspectEntries(names.map((it) => entry(it)));
  expect(accepted.map((it) => it.path)).toEqual(['n/other.toml']);
  expect(problems).toHaveLength(4);
});

it('refuses a name that a made-up tree holds twice', () => {
  const { accepted, problems } = inspectEntries([entry('n/a.toml'), entry('n/a.toml')]);
  expect(accepted).toEqual([]);
  expect(problems).toHaveLength(2);
});

it('refuses everything that is no plain file, by what it is', () => {
  const kinds = ['symlink', 'submodule', 'unknown'] as const;
  const { accepted, problems } = inspectEntries(kinds.map((it) => entry(`n/${it}`, it)));
  expect(accepted).toEqual([]);
  expect(problems.map((it) => it.message)).toEqual([
    'is a symbolic link',
    'is a submodule',
    'is neither a file nor a folder',
  ]);
});

it('puts every entry into exactly one of the two', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1 })), (paths) => {
      const { accepted, problems } = inspectEntries(paths.map((it) => entry(it)));
      expect(accepted.length + problems.length).toBe(paths.length);
    }),
  );
});
