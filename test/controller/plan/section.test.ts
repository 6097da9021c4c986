import { describe, expect, it } from 'vitest';
import { fit, listing, type Section } from '../../../controller/plan/section.ts';

const lines = (count: number, text = 'entry') => Array.from({ length: count }, (_, index) => `${text} ${index}`);
const plain = (title: string, count: number, rank = 0): Section =>
  listing(title, lines(count), { folded: false, rank });
const bytes = (texts: readonly string[]) => Buffer.byteLength(texts.map((it) => `\n\n${it}`).join(''));

describe('sections', () => {
  it('are written whole where there is room', () => {
    expect(fit([plain('One', 2), plain('None', 0)], 1_000)).toEqual(['**One**\n\n- entry 0\n- entry 1']);
  });

  it('count what they leave out', () => {
    expect(fit([plain('One', 100)], 60)).toEqual(['**One**\n\n- entry 0\n- entry 1\n- entry 2\n- and 97 more']);
  });

  it('are no longer together than they may be, at any size', () => {
    const sections: Section[] = [
      plain('One', 30),
      { ...plain('Two', 30, 1), folded: true, title: 'Two' },
      { ...plain('Three', 3, 2), entries: [{ text: '1. phase', detail: lines(40, '   - step') }] },
    ];
    for (let most = 0; most < 2_000; most += 7) expect(bytes(fit(sections, most))).toBeLessThanOrEqual(most);
    expect(bytes(fit(sections, 2_000))).toBeGreaterThan(1_200);
  });

  it('give way by rank, after each had its share', () => {
    const [first = '', second = ''] = fit([plain('Last', 100, 9), plain('First', 100, 1)], 800);

    expect(second.length).toBeGreaterThan(first.length);
    expect(first).toContain('- entry 5');
  });

  it('give up detail before entries', () => {
    const detailed: Section = {
      ...plain('Phases', 0),
      entries: lines(10, '1. phase').map((text) => ({ text, detail: lines(10, '   - step') })),
    };
    const [text = '', after = ''] = fit([detailed, plain('After', 10, 99)], 600);

    expect(text).toContain('1. phase 9');
    expect(text).not.toContain('   - step 9\n1. phase 9');
    expect(text).toMatch(/ {3}- and \d+ more/);
    expect(after).toContain('- entry 9');
  });

  it('leave out a section of which not even the frame has room', () => {
    expect(fit([plain('One', 5), plain('Two', 5, 1)], 30)).toEqual(['**One**\n\n- and 5 more']);
  });
});
