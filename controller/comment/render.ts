/**
 * A comment on a pull request, from its model: the same model gives the same bytes, so that nothing is written where
 * nothing changed. Pure.
 */
import { bytesOf } from '../plan/bounds.ts';
import { fit } from '../plan/section.ts';
import { HEAD_MOST_BYTES, headText } from './head.ts';
import type { CommentModel } from './model.ts';
import { sectionsOf } from './sections.ts';

/** Forges disagree on whether 65,536 counts bytes or characters, so bytes; the rest is for what they add. */
const MOST_BYTES = 65_536 - 536;

const FOOT = 'Commands: write `/slipway help` as a comment.';

/**
 * The comment as Markdown, in at most `maxBytes` of UTF-8 (30,000 or more: the head is never cut). Detail gives way
 * first; nothing is cut within a line, a fence or a fold.
 */
export function renderComment(
  model: CommentModel,
  { maxBytes = MOST_BYTES }: { readonly maxBytes?: number } = {},
): string {
  if (maxBytes < HEAD_MOST_BYTES) throw new RangeError(`a comment needs ${HEAD_MOST_BYTES} bytes, not ${maxBytes}`);
  const head = headText(model);
  const foot = model.closed || model.merged !== null ? [] : [FOOT];
  const left = maxBytes - bytesOf([head, ...foot].join('\n\n'));
  return [head, ...fit(sectionsOf(model), left), ...foot].join('\n\n');
}
