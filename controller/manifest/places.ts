/** Places: where in a file each key and value stands. Pure. */

/** Names and indexes from the root of a document. */
export type Path = readonly (string | number)[];

/** Counted from 1, columns in UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a value and its key begin, as offsets in the text; children by key or index. */
export interface PlaceNode {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly children: Map<string | number, PlaceNode>;
}

export interface Places {
  /** Where the path stands; of a path that is not in the file, its nearest ancestor that is. */
  at(path: Path, part: 'key' | 'value'): Place;
}

/** A node without children. */
export function placeNode(keyOffset: number, valueOffset: number): PlaceNode {
  return { keyOffset, valueOffset, children: new Map() };
}

/** Places of a text by the offsets that a reader found. */
export function createPlaces(text: string, root: PlaceNode): Places {
  const lines = lineStarts(text);
  return {
    at(path, part) {
      let node = root;
      for (const step of path) {
        const child = node.children.get(step);
        if (child === undefined) return placeOf(lines, node.keyOffset);
        node = child;
      }
      return placeOf(lines, part === 'key' ? node.keyOffset : node.valueOffset);
    },
  };
}

/** Line and column of one offset. */
export function placeAt(text: string, offset: number): Place {
  return placeOf(lineStarts(text), offset);
}

/** `services[0].template.env["A B"]`: how a path is written in a problem. */
export function pathText(path: Path): string {
  let written = '';
  for (const step of path) {
    if (typeof step === 'number') written += `[${step}]`;
    else if (/^[A-Za-z_$][\w-]{0,62}$/.test(step)) written += written === '' ? step : `.${step}`;
    else written += `[${quoted(step)}]`;
  }
  return written;
}

/**
 * A user's text in quotes, at most 80 characters of it, safe to show: control characters and the ones that change the
 * direction of writing are escaped.
 */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  return JSON.stringify(shown).replaceAll(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function placeOf(lines: readonly number[], offset: number): Place {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lines[low] ?? 0) + 1 };
}
