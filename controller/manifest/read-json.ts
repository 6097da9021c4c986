/**
 * JSON text (RFC 8259) → value and places, or the fault that stops reading. Pure.
 *
 * A reader of our own, because JSON.parse gives no places and silently lets the last of two equal keys win. JSON.parse
 * makes the value; a property test holds that both accept the same texts.
 */
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Fault, Parsed } from './parsed.ts';
import { type PlaceNode, placeAt, placeNode, quoted } from './places.ts';

class JsonFault extends Error {
  readonly offset: number;
  readonly hint: string | undefined;
  constructor(offset: number, message: string, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** Reads strict JSON: no comments, no trailing commas, no duplicate keys. */
export function readJson(text: string): Parsed {
  const cursor: Cursor = { text, at: 0 };
  try {
    skipBlank(cursor);
    const root = placeNode(0, cursor.at);
    readValue(cursor, root, 0);
    skipBlank(cursor);
    if (cursor.at < text.length)
      throw new JsonFault(cursor.at, `unexpected ${shown(cursor)} after the end of the value`);
    return { ok: true, value: JSON.parse(text), root };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const fault: Fault = { place: placeAt(text, error.offset), message: `not valid JSON: ${error.message}` };
    return { ok: false, faults: [error.hint === undefined ? fault : { ...fault, hint: error.hint }] };
  }
}

function readValue(cursor: Cursor, node: PlaceNode, depth: number): void {
  const first = cursor.text[cursor.at];
  if ((first === '{' || first === '[') && depth >= LIMITS.depth) {
    throw new JsonFault(cursor.at, `nested deeper than ${LIMITS.depth} levels`);
  }
  if (first === '{') readMembers(cursor, node, depth + 1);
  else if (first === '[') readElements(cursor, node, depth + 1);
  else if (first === '"') readString(cursor);
  else readScalar(cursor);
}

function readMembers(cursor: Cursor, node: PlaceNode, depth: number): void {
  readList(cursor, '}', () => {
    const keyOffset = cursor.at;
    if (cursor.text[cursor.at] !== '"')
      throw new JsonFault(cursor.at, `expected a key in quotes, found ${shown(cursor)}`);
    const key = readString(cursor);
    if (node.children.has(key)) throw new JsonFault(keyOffset, `the key ${quoted(key)} stands twice in one object`);
    skipBlank(cursor);
    if (cursor.text[cursor.at] !== ':') throw new JsonFault(cursor.at, `expected ":", found ${shown(cursor)}`);
    cursor.at += 1;
    skipBlank(cursor);
    const child = placeNode(keyOffset, cursor.at);
    node.children.set(key, child);
    readValue(cursor, child, depth);
  });
}

function readElements(cursor: Cursor, node: PlaceNode, depth: number): void {
  readList(cursor, ']', () => {
    const element = placeNode(cursor.at, cursor.at);
    node.children.set(node.children.size, element);
    readValue(cursor, element, depth);
  });
}

function readList(cursor: Cursor, end: string, readItem: () => void): void {
  cursor.at += 1;
  skipBlank(cursor);
  if (cursor.text[cursor.at] === end) {
    cursor.at += 1;
    return;
  }
  for (;;) {
    readItem();
    skipBlank(cursor);
    const next = cursor.text[cursor.at];
    if (next !== ',' && next !== end)
      throw new JsonFault(cursor.at, `expected "," or "${end}", found ${shown(cursor)}`);
    cursor.at += 1;
    if (next === end) return;
    skipBlank(cursor);
    if (cursor.text[cursor.at] === end)
      throw new JsonFault(cursor.at, `a comma stands before "${end}"`, 'remove the comma');
  }
}

const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

function readString(cursor: Cursor): string {
  const raw = match(cursor, STRING);
  if (raw === null) throw new JsonFault(cursor.at, 'a string is not closed on its line, or has a wrong escape in it');
  return JSON.parse(raw);
}

function readScalar(cursor: Cursor): void {
  const start = cursor.at;
  if (match(cursor, SCALAR) === null) throw new JsonFault(start, `expected a value, found ${shown(cursor)}`);
}

function match(cursor: Cursor, pattern: RegExp): string | null {
  const sticky = new RegExp(pattern);
  sticky.lastIndex = cursor.at;
  const found = sticky.exec(cursor.text);
  if (found === null) return null;
  cursor.at = sticky.lastIndex;
  return found[0];
}

function shown(cursor: Cursor): string {
  const character = cursor.text.at(cursor.at);
  return cursor.at >= cursor.text.length || character === undefined ? 'the end of the file' : quoted(character);
}

function skipBlank(cursor: Cursor): void {
  while (/[ \t\r\n]/.test(cursor.text[cursor.at] ?? '')) cursor.at += 1;
}
