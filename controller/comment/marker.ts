/** The hidden lines by which a comment is found again, and what it says in short for programs. Pure. */
import type { Digest, NamespaceName, Revision } from '../../schemas/names.ts';

/** Of what is after the marker; the marker itself never changes, or old comments would not be found any more. */
const FORMAT = 1;

/** The first line of every comment on this namespace, whole: comments are found by it, and by who wrote them. */
export function markerOf(about: { readonly installation: string; readonly namespace: NamespaceName }): string {
  return `<!-- slipway installation=${hidden(about.installation)} namespace=${hidden(about.namespace)} -->`;
}

/** The second line: what the comment is about. `plan` null: there is none. */
export function detailsOf(about: {
  readonly head: Revision;
  readonly base: Revision;
  readonly plan: Digest | null;
}): string {
  const plan = about.plan === null ? '' : ` plan=${hidden(about.plan)}`;
  return `<!-- format=${FORMAT} head=${hidden(about.head)} base=${hidden(about.base)}${plan} -->`;
}

/** Injective, and without what could end a comment of HTML: no `>`, and never two dashes in a row. */
function hidden(text: string): string {
  const encoded = encodeURIComponent(text.slice(0, 200).replaceAll(/\p{Cs}/gu, '\ufffd'));
  return encoded.replaceAll(/-(?=-|$)|[!'()*~]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}
