/** Texts cut to GitHub's limits so that they stay readable and distinct. Pure. */
import { createHash } from 'node:crypto';
import { visible } from '../../plan/foreign.ts';

/** GitHub refuses longer ones (REST API, "Create a commit status", "Create a deployment status"). */
const CONTEXT_CHARACTERS = 255;
const DESCRIPTION_CHARACTERS = 140;

/** A status' context: at most 255 characters; what is cut is stood for by a digest, so that two never become one. */
export function shortContext(context: string): string {
  const line = oneLine(context);
  if (line.length <= CONTEXT_CHARACTERS) return line;
  const suffix = `~${createHash('sha256').update(context).digest('hex').slice(0, 12)}`;
  return `${cut(line, CONTEXT_CHARACTERS - suffix.length)}${suffix}`;
}

/** One line of at most 140 characters (or as many as are given), cut after a word. */
export function shortDescription(text: string, characters = DESCRIPTION_CHARACTERS): string {
  const line = oneLine(text);
  if (line.length <= characters) return line;
  const head = cut(line, characters - 1);
  const space = head.lastIndexOf(' ');
  const words = line[head.length] === ' ' || space < characters / 2 ? head : head.slice(0, space);
  return `${words.trimEnd()}…`;
}

/** What GitHub or a stranger said, on one line, visible, bounded. */
export function quoted(text: string, characters = 300): string {
  return shortDescription(text, characters);
}

/** The first UTF-16 units of a text, without half a character at the end. */
export function cut(text: string, units: number): string {
  const head = text.slice(0, units);
  return /[\uD800-\uDBFF]$/.test(head) ? head.slice(0, -1) : head;
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ').trim());
}
