/** Canonical JSON and its digest: equal records give equal bytes, whatever order their keys were written in. */
import { createHash } from 'node:crypto';
import type { Digest } from './names.ts';

/**
 * JSON with object keys in code-unit order and without whitespace; `undefined` members are left out.
 * Source: the idea of RFC 8785, for records that hold only strings, integers, booleans, null, arrays and objects.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((it) => canonicalJson(it ?? null)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, it]) => it !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, it]) => `${JSON.stringify(key)}:${canonicalJson(it)}`);
  return `{${members.join(',')}}`;
}

/** sha256 of the canonical JSON, lower-case hex. */
export function digestOf(value: unknown): Digest {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
