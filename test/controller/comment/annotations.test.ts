import { describe, expect, it } from 'vitest';
import { annotationsOf } from '../../../controller/comment/annotations.ts';
import type { Problem } from '../../../schemas/problem.ts';

const problem = (overrides: Partial<Problem>): Problem => ({
  file: 'namespaces/production.toml',
  line: 14,
  column: 9,
  path: 'services[0].image',
  message: 'is missing',
  ...overrides,
});

describe('annotations', () => {
  it('stand on the line of the problem, in its file, and say what to do', () => {
    expect(annotationsOf({ problems: [problem({ hint: 'add one' })] })).toEqual([
      {
        path: 'namespaces/production.toml',
        line: 14,
        level: 'failure',
        message: 'services[0].image: is missing (add one)',
      },
    ]);
  });

  it('stand on the first line where the file as a whole is meant', () => {
    expect(annotationsOf({ problems: [problem({ line: 0, path: '', message: 'two\nlines' })] })).toEqual([
      expect.objectContaining({ line: 1, message: String.raw`two\u{a}lines` }),
    ]);
  });

  it('are no more than one request takes, and no longer than anybody reads', () => {
    const problems = Array.from({ length: 60 }, () => problem({ message: 'x'.repeat(9_000) }));

    expect(annotationsOf({ problems })).toHaveLength(50);
    expect(annotationsOf({ problems })[0]?.message).toHaveLength(1_000);
  });
});
