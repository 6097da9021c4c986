/** The bytes of a commit, with or without a signature. Pure. Format: git-commit-tree(1), gitformat-signature(5). */
import type { Revision } from '../../schemas/names.ts';
import type { CommitPerson } from './workshop.ts';

export interface CommitText {
  readonly tree: string;
  readonly parents: readonly Revision[];
  readonly message: string;
  readonly person: CommitPerson;
}

/** Header and message; a signature covers the bytes that this gives without one. */
export function commitBytes(args: CommitText, signature: string | null = null): Uint8Array {
  const person = `${plain(args.person.name)} <${plain(args.person.email)}> ${Math.trunc(args.person.timestamp)} +0000`;
  const header = [
    `tree ${args.tree}`,
    ...args.parents.map((it) => `parent ${it}`),
    `author ${person}`,
    `committer ${person}`,
    ...(signature === null ? [] : [`gpgsig ${signature.trimEnd().split('\n').join('\n ')}`]),
  ];
  const message = args.message.replaceAll('\0', '').trimEnd();
  return Buffer.from(`${header.join('\n')}\n\n${message}\n`);
}

/** What git takes in a name or an address. */
function plain(text: string): string {
  const kept = text
    .replace(/[<>\p{Cc}]+/gu, ' ')
    .replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/gu, '')
    .trim();
  return kept === '' ? 'unknown' : kept;
}
