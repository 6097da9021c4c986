import { describe, expect, it } from 'vitest';
import { closureOf, levelsOf } from '../../../controller/plan/levels.ts';

const works = (waits: Record<string, string[]>) =>
  Object.entries(waits).map(([name, waitsFor]) => ({ name, waitsFor }));

describe('levels', () => {
  it('are one more than the highest that is waited for', () => {
    const levels = levelsOf(works({ d: ['a', 'c'], c: ['b'], b: ['a'], a: [], x: ['nobody'] }));

    expect(Object.fromEntries(levels)).toEqual({ a: 0, b: 1, c: 2, d: 3, x: 0 });
  });

  it('leave out the wait that closes a circle, the same one in any order', () => {
    const circle = works({ a: ['c'], b: ['a'], c: ['b'] });

    expect(Object.fromEntries(levelsOf(circle))).toEqual({ a: 2, b: 0, c: 1 });
    expect(levelsOf(circle.toReversed())).toEqual(levelsOf(circle));
  });

  it('ignore who waits for itself', () => {
    expect(levelsOf(works({ a: ['a'] })).get('a')).toBe(0);
  });
});

describe('closure', () => {
  it('is everything that has to be done before', () => {
    const all = works({ d: ['c', 'gone'], c: ['b'], b: [], a: ['d'] });

    expect([...closureOf(['d'], all)].toSorted()).toEqual(['b', 'c', 'd']);
  });
});
