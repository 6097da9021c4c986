/**
 * Where keys and values stand in a TOML text. smol-toml gives values without places, so this scanner finds them; it
 * trusts that the text was parsed without error, and reads only as much grammar as places need (TOML 1.1).
 */
import { type PlaceNode, placeNode } from './places.ts';

interface Cursor {
  readonly text: string;
  at: number;
}

interface Key {
  readonly offset: number;
  readonly steps: string[];
}

/** Places of every key and value of a valid TOML text; headers of `[[…]]` are the places of their elements. */
export function tomlPlaces(text: string): PlaceNode {
  const cursor: Cursor = { text, at: 0 };
  const root = placeNode(0, 0);
  const tableArrays = new Set<PlaceNode>();
  let table = root;
  for (skipBlank(cursor); cursor.at < text.length; skipBlank(cursor)) {
    if (text[cursor.at] === '[') {
      const isElement = text[cursor.at + 1] === '[';
      cursor.at += isElement ? 2 : 1;
      const key = readKey(cursor);
      cursor.at += isElement ? 2 : 1;
      table = enterTable(root, key, isElement, tableArrays);
    } else readMember(cursor, table);
  }
  return root;
}

function enterTable(root: PlaceNode, key: Key, isElement: boolean, tableArrays: Set<PlaceNode>): PlaceNode {
  let node = root;
  key.steps.forEach((step, index) => {
    node = descend(node, step, key.offset);
    const last = index === key.steps.length - 1;
    if (last && isElement) {
      tableArrays.add(node);
      node = descend(node, node.children.size, key.offset);
    } else if (tableArrays.has(node)) node = descend(node, node.children.size - 1, key.offset);
  });
  return node;
}

function descend(node: PlaceNode, step: string | number, offset: number): PlaceNode {
  const present = node.children.get(step);
  if (present !== undefined) return present;
  const child = placeNode(offset, offset);
  node.children.set(step, child);
  return child;
}

function readMember(cursor: Cursor, table: PlaceNode): void {
  const key = readKey(cursor);
  skipBlank(cursor);
  cursor.at += 1;
  skipBlank(cursor);
  const parent = key.steps.slice(0, -1).reduce((node, step) => descend(node, step, key.offset), table);
  const child = placeNode(key.offset, cursor.at);
  parent.children.set(key.steps.at(-1) ?? '', child);
  readValue(cursor, child);
}

function readKey(cursor: Cursor): Key {
  skipBlank(cursor);
  const key: Key = { offset: cursor.at, steps: [] };
  for (;;) {
    skipBlank(cursor);
    key.steps.push(readKeyPart(cursor));
    skipBlank(cursor);
    if (cursor.text[cursor.at] !== '.') return key;
    cursor.at += 1;
  }
}

function readKeyPart(cursor: Cursor): string {
  const start = cursor.at;
  const quote = cursor.text[start];
  if (quote === '"' || quote === "'") {
    skipString(cursor);
    const inner = cursor.text.slice(start + 1, cursor.at - 1);
    return quote === '"' ? unescape(inner) : inner;
  }
  // At least one character is taken, so that an unexpected one cannot stop the scan for ever.
  do cursor.at += 1;
  while (cursor.at < cursor.text.length && !/[\s.=\]"'#]/.test(cursor.text[cursor.at] ?? ''));
  return cursor.text.slice(start, cursor.at);
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\u001b' };

function unescape(inner: string): string {
  return inner.replaceAll(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))/g, (_, u, U, x, simple) => {
    const hex: string | undefined = u ?? U ?? x;
    return hex === undefined ? (ESCAPES[simple] ?? simple) : String.fromCodePoint(Number.parseInt(hex, 16));
  });
}

function readValue(cursor: Cursor, node: PlaceNode): void {
  const first = cursor.text[cursor.at];
  if (first === '"' || first === "'") skipString(cursor);
  else if (first === '[') readArray(cursor, node);
  else if (first === '{') readInlineTable(cursor, node);
  else while (cursor.at < cursor.text.length && !/[,\]}\n#]/.test(cursor.text[cursor.at] ?? '')) cursor.at += 1;
}

function readArray(cursor: Cursor, node: PlaceNode): void {
  cursor.at += 1;
  for (skipSeparators(cursor); cursor.at < cursor.text.length; skipSeparators(cursor)) {
    if (cursor.text[cursor.at] === ']') {
      cursor.at += 1;
      return;
    }
    const element = placeNode(cursor.at, cursor.at);
    node.children.set(node.children.size, element);
    readValue(cursor, element);
  }
}

function readInlineTable(cursor: Cursor, node: PlaceNode): void {
  cursor.at += 1;
  for (skipSeparators(cursor); cursor.at < cursor.text.length; skipSeparators(cursor)) {
    if (cursor.text[cursor.at] === '}') {
      cursor.at += 1;
      return;
    }
    readMember(cursor, node);
  }
}

function skipString(cursor: Cursor): void {
  const { text } = cursor;
  const quote = text[cursor.at] ?? '"';
  const long = text.startsWith(quote.repeat(3), cursor.at);
  const end = long ? quote.repeat(3) : quote;
  cursor.at += end.length;
  while (cursor.at < text.length && !text.startsWith(end, cursor.at)) {
    cursor.at += quote === '"' && text[cursor.at] === '\\' ? 2 : 1;
  }
  cursor.at += end.length;
  // Up to two quotes may stand right before the closing three.
  for (let extra = 0; long && extra < 2 && text[cursor.at] === quote; extra += 1) cursor.at += 1;
}

function skipSeparators(cursor: Cursor): void {
  skipBlank(cursor);
  while (cursor.text[cursor.at] === ',') {
    cursor.at += 1;
    skipBlank(cursor);
  }
}

function skipBlank(cursor: Cursor): void {
  const { text } = cursor;
  while (cursor.at < text.length) {
    if (text[cursor.at] === '#') {
      const end = text.indexOf('\n', cursor.at);
      cursor.at = end < 0 ? text.length : end;
    } else if (/\s/.test(text[cursor.at] ?? '')) cursor.at += 1;
    else return;
  }
}
