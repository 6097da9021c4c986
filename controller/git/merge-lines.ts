/**
 * Merges two descendants of a text by lines. Pure. Where lines repeat a difference can be read in more than one way; the
 * merge is made from the beginning and from the end, and counts only when both give the same bytes.
 */
import diff3Merge from 'diff3';
import { diffEffort } from './diff-effort.ts';

/** As git: a NUL among the first bytes makes a file binary. */
const BINARY_HEAD_BYTES = 8_000;
const MAX_LINES = 50_000;
/** Steps of comparing: a million take a tenth of a second, and 100 MB while they last. */
const MAX_EFFORT = 1_000_000;

/** The merged bytes; null: both changed the same lines, or lines that touch, or it is no text, or it differs so much that comparing it takes too long. */
export function mergeLines(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array | null {
  if ([base, ours, theirs].some((it) => it.subarray(0, BINARY_HEAD_BYTES).includes(0))) return null;
  const [b, o, t] = [linesOf(base), linesOf(ours), linesOf(theirs)];
  if (Math.max(b.length, o.length, t.length) > MAX_LINES) return null;
  if ([o, t].some((it) => diffEffort(b, it, MAX_EFFORT) === null)) return null;
  const forward = merged(b, o, t);
  if (forward === null) return null;
  const backward = merged(b.toReversed(), o.toReversed(), t.toReversed());
  if (backward === null || backward.toReversed().join('') !== forward.join('')) return null;
  return Buffer.from(forward.join(''), 'latin1');
}

function merged(base: string[], ours: string[], theirs: string[]): string[] | null {
  const lines: string[] = [];
  for (const region of diff3Merge(ours, base, theirs)) {
    if (region.ok === undefined) return null;
    lines.push(...region.ok);
  }
  return lines;
}

/** Lines with their ends; bytes as latin1, so that any encoding survives. */
export function linesOf(bytes: Uint8Array): string[] {
  return (
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      .toString('latin1')
      .match(/[^\n]*\n|[^\n]+$/g) ?? []
  );
}
