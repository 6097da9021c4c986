/**
 * Names → subject tokens and KV keys, and back. Pure and injective: two different lists of names never meet in one
 * key, and no name can form a wildcard, a separator or a reserved subject.
 *
 * Of the alphabet of KV keys (`-/=._` and word characters; nats.js kv.ts) letters, digits, `-` and `_` stand for
 * themselves, `.` separates names, and every other byte of a name's UTF-8 is `=XX`. The empty name is a lone `=`.
 */
import type { Key } from './port.ts';

const PLAIN = /[^A-Za-z0-9_-]/;

/** One name as one token. @throws a plain error for a text that is not well-formed Unicode. */
export function encodeName(name: string): string {
  if (name === '') return '=';
  if (!PLAIN.test(name)) return name;
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.toString('utf8') !== name) throw new Error('a name is not well-formed Unicode');
  let token = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    token += byte > 127 || PLAIN.test(char) ? `=${byte.toString(16).toUpperCase().padStart(2, '0')}` : char;
  }
  return token;
}

/** The name of a token that `encodeName` made. */
export function decodeName(token: string): string {
  if (token === '=') return '';
  const bytes: number[] = [];
  for (let i = 0; i < token.length; i++) {
    if (token[i] !== '=') {
      bytes.push(token.charCodeAt(i));
      continue;
    }
    const hex = token.slice(i + 1, i + 3);
    if (!/^[0-9A-F]{2}$/.test(hex)) throw new Error(`not a token of ours: ${token}`);
    bytes.push(Number.parseInt(hex, 16));
    i += 2;
  }
  return Buffer.from(bytes).toString('utf8');
}

/** A list of names as one key. @throws a plain error for the empty list. */
export function encodeKey(key: Key): string {
  if (key.length === 0) throw new Error('a key needs at least one name');
  return key.map(encodeName).join('.');
}

/** The names of a key that `encodeKey` made. */
export function decodeKey(encoded: string): Key {
  return encoded.split('.').map(decodeName);
}

/** Whether an encoded key fits a filter of NATS: `*` is one token, a last `>` one or more. */
export function keyMatches(filter: string, encoded: string): boolean {
  const wanted = filter.split('.');
  const tokens = encoded.split('.');
  const open = wanted.at(-1) === '>';
  if (open ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((it, i) => it === '*' || (it === '>' && i === wanted.length - 1) || it === tokens[i]);
}
