/** Links of a comment: into the fleet repository, and to where a preview answers. Pure. */
import type { Revision } from '../../schemas/names.ts';
import type { Problem } from '../../schemas/problem.ts';
import { shortCode, shortProse } from '../plan/bounds.ts';
import { codeSpan, link } from '../plan/foreign.ts';

const REVISION_DIGITS = 8;

/** The first digits of a revision, leading to its commit. */
export function commitLink(webUrl: string, revision: Revision): string {
  return link(codeSpan(revision.slice(0, REVISION_DIGITS)), `${webUrl}/commit/${revision}`);
}

/** Where a problem is: `file:line`, leading to that line in a revision. */
export function problemLink(webUrl: string, revision: Revision, { file, line }: Problem): string {
  const path = file.split('/').map(encoded).join('/');
  const anchor = line > 0 ? `#L${line}` : '';
  return link(
    shortCode(line > 0 ? `${file}:${line}` : file, 200),
    `${webUrl}/blob/${encoded(revision)}/${path}${anchor}`,
  );
}

/** A moment as people read it: `2026-01-02 03:04 UTC`. */
export function instant(at: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(at);
  return parts === null ? shortProse(at, 60) : `${parts[1]} ${parts[2]} UTC`;
}

function encoded(part: string): string {
  return encodeURIComponent(part.replaceAll(/\p{Cs}/gu, '\ufffd'));
}
