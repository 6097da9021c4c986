/** What a reader of one format gives: a value with places, or the faults that stop reading the file. */
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Place, PlaceNode } from './places.ts';

/** Why a file cannot be read; `place` null: the file as a whole. */
export interface Fault {
  readonly place: Place | null;
  readonly message: string;
  readonly hint?: string;
}

export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly root: PlaceNode }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** What is wrong with so many members, of one list or table and of the file so far; null: nothing. */
export function membersFault(ofOne: number, ofFile: number): string | null {
  if (ofOne > LIMITS.membersOfOne) return `has ${ofOne} members; a list or table has ${LIMITS.membersOfOne} at most`;
  return ofFile > LIMITS.membersOfFile
    ? `a file has ${LIMITS.membersOfFile} members of lists and tables at most`
    : null;
}
