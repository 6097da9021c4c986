/** Subjects of messages; none of them can reach a stream. Pure. */
import { RESERVED_SUBJECTS } from './assets.ts';
import { encodeKey } from './encode.ts';
import type { Key } from './port.ts';

/** The subject to send to. @throws a plain error for one that a stream would store. */
export function messageSubject(subject: Key): string {
  if (RESERVED_SUBJECTS.includes(subject[0] ?? '')) throw new Error(`messages cannot be sent to ${subject[0]}`);
  return encodeKey(subject);
}

/** The subject to listen to: a last name `*` stands for any one name. */
export function messageFilter(subject: Key): string {
  if (subject.length < 2 || subject.at(-1) !== '*') return messageSubject(subject);
  return `${messageSubject(subject.slice(0, -1))}.*`;
}
