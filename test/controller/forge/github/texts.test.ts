/** Texts for GitHub's limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, shortContext, shortDescription } from '../../../../controller/forge/github/texts.ts';

describe('texts for GitHub', () => {
  it('a context that fits stays as it is', () => {
    expect(shortContext('slipway/production')).toBe('slipway/production');
    expect(shortContext('x'.repeat(255))).toBe('x'.repeat(255));
  });

  it('long contexts are cut to 255 characters and stay distinct', () => {
    const [a, b] = [shortContext(`${'n'.repeat(300)}a`), shortContext(`${'n'.repeat(300)}b`)];
    expect([a.length, b.length]).toEqual([255, 255]);
    expect(a).not.toBe(b);
  });

  it('a description is cut after a word', () => {
    const text = `${'word '.repeat(40)}end`;
    const short = shortDescription(text);
    expect(short).toMatch(/word…$/);
    expect(short.length).toBeLessThanOrEqual(140);
  });

  it('a description is one line, and shows what cannot be seen', () => {
    expect(shortDescription('two\nlines\tand  ‮more')).toBe(String.raw`two lines and \u{202e}more`);
  });

  it('whatever the text, it fits and no character is cut in half', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
        expect(shortDescription(text).length).toBeLessThanOrEqual(140);
        expect(shortContext(text).length).toBeLessThanOrEqual(255);
        expect(shortDescription(text)).not.toMatch(/\p{Cs}/u);
      }),
    );
    expect(cut('a😀', 2)).toBe('a');
  });
});
