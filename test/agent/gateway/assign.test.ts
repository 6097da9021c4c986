/** Sections are handed out once, kept, and never taken from servers that still run. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Assignment, assign, emptyAssignment } from '../../../agent/gateway/assign.ts';

const nobody = new Set<string>();
const keys = (count: number) => Array.from({ length: count }, (_, index) => `p/s${index}/80`);

it('new keys take the first free sections, in order of key', () => {
  expect(assign(emptyAssignment, ['p/b/1', 'p/a/1'], nobody).sections).toEqual({ 'p/a/1': 'b0', 'p/b/1': 'b1' });
});

it('a section that still holds servers goes to nobody new', () => {
  expect(assign(emptyAssignment, ['p/a/1'], new Set(['b0', 'tcp_5'])).sections).toEqual({ 'p/a/1': 'b1' });
});

it('spares grow only when they run out, and then with room to spare', () => {
  expect(assign(emptyAssignment, keys(64), nobody).sectionCount).toBe(64);
  const grown = assign(emptyAssignment, keys(65), nobody);
  expect(grown.sectionCount).toBe(128);
  expect(assign(grown, keys(2), nobody).sectionCount).toBe(128);
  expect(assign(emptyAssignment, keys(100), nobody).sectionCount - 100).toBeGreaterThanOrEqual(28);
});

it('whatever comes and goes: each key one section of its own, within the count, kept while it is wanted', () => {
  const wishes = fc.array(fc.uniqueArray(fc.nat(90).map((it) => `p/s${it}/80`)), { maxLength: 12 });
  fc.assert(
    fc.property(wishes, fc.uniqueArray(fc.nat(63).map((it) => `b${it}`)), (rounds, held) => {
      let now: Assignment = emptyAssignment;
      for (const wanted of rounds) {
        const next = assign(now, wanted, new Set(held));
        const sections = Object.values(next.sections);
        expect(Object.keys(next.sections).toSorted()).toEqual(wanted.toSorted());
        expect(new Set(sections).size).toBe(sections.length);
        for (const it of sections) expect(Number(it.slice(1))).toBeLessThan(next.sectionCount);
        for (const key of wanted) {
          const section = next.sections[key] ?? '';
          expect(section).toBe(now.sections[key] ?? section);
          expect(now.sections[key] === undefined && held.includes(section)).toBe(false);
        }
        expect(next.sectionCount).toBeGreaterThanOrEqual(now.sectionCount);
        now = next;
      }
    }),
    { numRuns: 60 },
  );
});
