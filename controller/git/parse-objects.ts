/** Reads trees and commits from their bytes. Pure. Everything in them is hostile text until somebody checked it. */
import type { Revision } from '../../schemas/names.ts';

/** One line of a tree. `name` holds U+FFFD where its bytes are not UTF-8. */
export interface TreeLine {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/** What a commit says of itself; `author` and `subject` are one line each, without control characters. */
export interface Commit {
  readonly tree: string;
  readonly parents: readonly Revision[];
  readonly author: string;
  readonly authorEmail: string;
  readonly subject: string;
  /** When it was committed, in seconds since the epoch; 0: it does not say. */
  readonly committedSeconds: number;
}

const SPACE = 0x20;
const OID_BYTES = 20;
const MAX_TEXT_LENGTH = 200;

/** The lines of a tree object; null when the bytes are not one. As `latin1` each byte of a name is one character. */
export function parseTree(bytes: Uint8Array, names: 'utf8' | 'latin1' = 'utf8'): TreeLine[] | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: TreeLine[] = [];
  let at = 0;
  while (at < buffer.length) {
    const space = buffer.indexOf(SPACE, at);
    const end = space < 0 ? -1 : buffer.indexOf(0, space);
    if (end < 0 || end + 1 + OID_BYTES > buffer.length) return null;
    const mode = buffer.toString('latin1', at, space);
    if (!/^[0-7]{5,6}$/.test(mode)) return null;
    const name = buffer.toString(names, space + 1, end);
    const oid = buffer.toString('hex', end + 1, end + 1 + OID_BYTES);
    lines.push({ mode: mode.padStart(6, '0'), name, oid });
    at = end + 1 + OID_BYTES;
  }
  return lines;
}

/** The commit in the bytes; null when they are not one. */
export function parseCommit(bytes: Uint8Array): Commit | null {
  const text = new TextDecoder('utf-8').decode(bytes);
  const headerEnd = text.indexOf('\n\n');
  const header = (headerEnd < 0 ? text : text.slice(0, headerEnd)).split('\n');
  const message = headerEnd < 0 ? '' : text.slice(headerEnd + 2).trimStart();
  const tree = /^tree ([0-9a-f]{40})$/.exec(header[0] ?? '')?.[1];
  if (tree === undefined) return null;
  const parents: Revision[] = [];
  for (const line of header.slice(1)) {
    const parent = /^parent ([0-9a-f]{40})$/.exec(line)?.[1];
    if (parent === undefined) break;
    parents.push(parent);
  }
  const person = header.find((it) => it.startsWith('author '))?.slice('author '.length) ?? '';
  const mail = person.indexOf('<');
  const name = mail < 0 ? person : person.slice(0, mail);
  const email = mail < 0 ? '' : person.slice(mail + 1).split('>', 1)[0];
  return {
    tree,
    parents,
    author: oneLine(name),
    authorEmail: oneLine(email ?? ''),
    subject: oneLine(message.split('\n', 1)[0] ?? ''),
    committedSeconds: Number(/^committer .*> (\d{1,12}) [+-]\d{4}$/m.exec(header.join('\n'))?.[1] ?? 0),
  };
}

/** Text of a stranger as one bounded line: control, line-separating and direction-changing characters become spaces. */
export function oneLine(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ').trim();
  return plain.length <= MAX_TEXT_LENGTH ? plain : `${plain.slice(0, MAX_TEXT_LENGTH - 1).replace(/\p{Cs}$/u, '')}…`;
}
