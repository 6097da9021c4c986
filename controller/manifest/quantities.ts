/** Durations, sizes and amounts: the text of a manifest → numbers with their units. Pure; each expects text that fits its schema. */
import type { Amount } from '../../schemas/service.ts';

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest duration: what a timer of Node can wait (2³¹ − 1 ms), rounded down to days. */
export const MAX_DURATION_MS = 24 * 86_400_000;

/** `1m30s` → 90 000. */
export function durationMs(text: string): number {
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (DURATION_UNITS[unit ?? ''] ?? 0),
    0,
  );
}

const SIZE_POWERS = ['', 'K', 'M', 'G', 'T'];

/** `256Mi` → 268 435 456. A bare letter and `…i` are powers of 1024, `…B` powers of 1000. */
export function sizeBytes(text: string): number {
  const [, count = '0', unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
  const base = unit.length === 2 && unit.endsWith('B') ? 1000 : 1024;
  const power = SIZE_POWERS.indexOf((unit === 'B' ? '' : unit.slice(0, 1)).toUpperCase());
  return Number(count) * base ** power;
}

/** `500m` → 500, `1.5` → 1500. */
export function cpuMillicores(text: string): number {
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Math.round(Number(text) * 1000);
}

/** `25%` → percent, 2 → count. */
export function amountOf(value: string | number): Amount {
  return typeof value === 'number' ? { count: value } : { percent: Number(value.slice(0, -1)) };
}

/** `0750` → 488. */
export function octalMode(text: string): number {
  return Number.parseInt(text, 8);
}
