import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, fence, firstOf, shortCode, shortPlain, shortProse } from '../../../controller/plan/bounds.ts';

const wild = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constant('`'.repeat(900)),
  fc.constant('<'.repeat(900)),
);

describe('bounded text', () => {
  it('is no longer than it may be, counted as it was written', () => {
    fc.assert(
      fc.property(wild, fc.integer({ min: 40, max: 500 }), (text, most) => {
        expect(bytesOf(shortCode(text, most))).toBeLessThanOrEqual(most);
        expect(bytesOf(shortProse(text, most))).toBeLessThanOrEqual(most);
        expect(shortPlain(text, most).length).toBeLessThanOrEqual(most);
        expect(shortPlain(text, most)).not.toMatch(/\p{Cs}/u);
      }),
    );
  });

  it('is whole where it fits, and says where it does not', () => {
    expect(shortCode('short', 40)).toBe('`short`');
    expect(shortProse('x'.repeat(90), 40)).toMatch(/^x+…$/);
    expect(shortPlain('🚀🚀🚀', 4)).toBe('🚀…');
    expect(firstOf(['a', 'b', 'c'], 2, shortCode)).toBe('`a`, `b` and 1 more');
  });
});

describe('a fence', () => {
  it('is longer than any run of back-ticks in it, without colours', () => {
    expect(fence(['\u001b[31mred\u001b[0m', '````', '\tx'])).toEqual(['`````text', 'red', '````', '  x', '`````']);
  });

  it('shows the last lines, and how many there were before', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);

    expect(fence(lines, { maxLines: 2 })).toEqual(['```text', '… 28 lines before', 'line 28', 'line 29', '```']);
    expect(fence(lines, { maxBytes: 8 })).toEqual(['```text', '… 29 lines before', 'line 29', '```']);
  });
});
