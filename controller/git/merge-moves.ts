/**
 * Where git might see that a file or folder was moved, and merge otherwise than file by file. Git takes files for moved
 * that share half of their content; this asks for less, so that it finds every case that git finds, and says "unclear".
 */
import { linesOf } from './merge-lines.ts';
import type { FileChange } from './tree-changes.ts';

type Changes = ReadonlyMap<string, FileChange>;
type Side = 'ours' | 'theirs';

const SIMILAR = 0.35;
const MAX_COMPARISONS = 2_000;
/** Of all contents that are compared. */
const MAX_COMPARED_BYTES = 16 * 2 ** 20;

/** Why moves make the result doubtful; null: they do not. `content` gives a blob, null for one that is too large. */
export async function doubtfulMove(args: {
  readonly ours: Changes;
  readonly theirs: Changes;
  readonly content: (oid: string) => Promise<Uint8Array | null>;
  /** Whether a side still has a folder. */
  readonly hasFolder: (side: Side, path: string) => Promise<boolean>;
  /** Called between pieces of work, so that others have a turn. */
  readonly breath: () => Promise<void>;
}): Promise<string | null> {
  let comparisons = 0;
  let comparedBytes = 0;
  const content = async (oid: string) => {
    const bytes = await args.content(oid);
    comparedBytes += bytes?.byteLength ?? 0;
    return bytes;
  };
  for (const [side, own, other] of [
    ['ours', args.ours, args.theirs],
    ['theirs', args.theirs, args.ours],
  ] as const) {
    const gone = [...own].filter(([, it]) => it.after === null);
    const come = [...own].filter(([, it]) => it.before === null);
    const folder = await movedFolder(own, other, gone, come, async (path) => {
      await args.breath();
      return await args.hasFolder(side, path);
    });
    if (folder !== null) return folder;
    const comeToOther = come.filter(([to]) => other.has(to));
    for (const [from, was] of gone) {
      // A file that the other side did not touch, moved to where the other side has nothing, is the same either way.
      for (const [to, is] of other.has(from) ? come : comeToOther) {
        await args.breath();
        if (sameMove(other, from, to, is)) continue;
        if (++comparisons > MAX_COMPARISONS || comparedBytes > MAX_COMPARED_BYTES)
          return 'both sides moved too many files to be compared';
        if (await similar(was.before?.oid, is.after?.oid, content)) {
          return `${shown(from)} seems to have been moved to ${shown(to)}, and the other side changed it too`;
        }
      }
    }
  }
  return null;
}

function sameMove(other: Changes, from: string, to: string, is: FileChange): boolean {
  const there = other.get(to)?.after;
  return other.get(from)?.after === null && there?.oid === is.after?.oid && there?.mode === is.after?.mode;
}

/** Files that the other side puts into a folder that this side moved away: git would move them along. */
async function movedFolder(
  own: Changes,
  other: Changes,
  gone: readonly [string, FileChange][],
  come: readonly [string, FileChange][],
  has: (path: string) => Promise<boolean>,
): Promise<string | null> {
  if (gone.length === 0 || come.length === 0) return null;
  const left = new Set<string>();
  for (const path of new Set(gone.flatMap(([it]) => foldersOf(it)))) if (!(await has(path))) left.add(path);
  if (left.size === 0) return null;
  for (const [path, change] of other) {
    if (change.before !== null || own.get(path)?.after?.oid === change.after?.oid) continue;
    const folder = foldersOf(path).find((it) => left.has(it));
    if (folder !== undefined) {
      return `${shown(path)} is new in a folder that the other side took away, perhaps to move it`;
    }
  }
  return null;
}

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, at) => names.slice(0, at + 1).join('/'));
}

async function similar(
  from: string | undefined,
  to: string | undefined,
  content: (oid: string) => Promise<Uint8Array | null>,
): Promise<boolean> {
  if (from === undefined || to === undefined) return false;
  if (from === to) return true;
  const [a, b] = await Promise.all([content(from), content(to)]);
  // What cannot be looked at may be anything.
  if (a === null || b === null) return true;
  return sharedBytes(a, b) >= SIMILAR * Math.max(a.byteLength, b.byteLength);
}

/** Bytes of the pieces (lines, or 64 bytes of a longer one) that both have. */
function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  const counts = new Map<string, number>();
  for (const piece of pieces(a)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  let shared = 0;
  for (const piece of pieces(b)) {
    const left = counts.get(piece) ?? 0;
    if (left === 0) continue;
    counts.set(piece, left - 1);
    shared += piece.length;
  }
  return shared;
}

function pieces(bytes: Uint8Array): string[] {
  return linesOf(bytes).flatMap((line) => line.replace(/\r\n$/, '\n').match(/[^]{1,64}/g) ?? []);
}

function shown(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
