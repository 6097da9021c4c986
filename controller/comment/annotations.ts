/** Problems as annotations of a check run: each lands on its line of the manifest in the diff. Pure. */
import type { Annotation } from '../forge/port.ts';
import { shortPlain } from '../plan/bounds.ts';
import type { CommentModel } from './model.ts';

/** As many as one request of GitHub takes. Source: REST API, "Create a check run", output.annotations. */
const MOST = 50;
const MESSAGE_LENGTH = 1_000;

/** The first 50 problems. One of a file as a whole stands on its first line. */
export function annotationsOf({ problems }: Pick<CommentModel, 'problems'>): Annotation[] {
  return problems.slice(0, MOST).map(({ file, line, path, message, hint }) => {
    const text = `${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
    return {
      path: file,
      line: Math.max(1, line),
      level: 'failure',
      message: shortPlain(text, MESSAGE_LENGTH),
    };
  });
}
