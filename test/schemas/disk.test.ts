/** When a disk has too little space: worse at once, better with some distance. */
import { expect, it } from 'vitest';
import { type DiskLevel, type DiskUsage, diskLevel, freeText, worstLevel } from '../../schemas/disk.ts';

const GIB = 2 ** 30;

function disk(totalGib: number, freeGib: number, overrides: Partial<DiskUsage> = {}): DiskUsage {
  const totalInodes = 1_000_000;
  const bytes = { totalBytes: totalGib * GIB, freeBytes: Math.round(freeGib * GIB) };
  return { ...bytes, totalInodes, freeInodes: totalInodes, ...overrides };
}

it.each([
  ['a small disk by its share', 10, 1.6, 'ok'],
  ['a small disk by its share', 10, 1.4, 'low'],
  ['a small disk by its share', 10, 0.6, 'low'],
  ['a small disk by its share', 10, 0.4, 'full'],
  ['a large disk by its bytes', 4000, 21, 'ok'],
  ['a large disk by its bytes', 4000, 19, 'low'],
  ['a large disk by its bytes', 4000, 1.1, 'low'],
  ['a large disk by its bytes', 4000, 0.9, 'full'],
] as const)('judges %s: %d GiB with %d free are %s', (_, total, free, level) => {
  expect(diskLevel(disk(total, free))).toBe(level);
});

it('leaves a level only with some distance, so that it does not come and go', () => {
  const levels: DiskLevel[] = [];
  let level: DiskLevel = 'ok';
  for (const free of [2, 1.4, 1.6, 1.4, 0.4, 0.55, 0.45, 0.7, 1.7, 1.9]) {
    level = diskLevel(disk(10, free), level);
    levels.push(level);
  }
  expect(levels).toEqual(['ok', 'low', 'low', 'low', 'full', 'full', 'full', 'low', 'low', 'ok']);
});

it('falls from full to ok at once when enough became free', () => {
  expect(diskLevel(disk(10, 5), 'full')).toBe('ok');
});

it('counts inodes where the file system has a fixed number of them', () => {
  expect(diskLevel(disk(100, 50, { freeInodes: 40_000 }))).toBe('low');
  expect(diskLevel(disk(100, 50, { freeInodes: 9_000 }))).toBe('full');
  expect(diskLevel(disk(100, 50, { totalInodes: 0, freeInodes: 0 }))).toBe('ok');
});

it('says what is free, and the inodes when those are short', () => {
  expect(freeText(disk(10, 1.25))).toBe('1.3 GiB of 10.0 GiB free');
  expect(freeText(disk(0.25, 0.01))).toBe('10.2 MiB of 256.0 MiB free');
  expect(freeText(disk(100, 50, { freeInodes: 9 }))).toBe('50.0 GiB of 100.0 GiB free, 9 of 1000000 inodes free');
  expect(worstLevel(['ok', 'full', 'low'])).toBe('full');
});
