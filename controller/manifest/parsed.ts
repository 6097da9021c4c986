/** What a reader of one format gives: a value with places, or the faults that stop reading the file. */
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
