/** Publishes what is to be said of a pull request. What was said already is not said again. */
import { digestOf } from '../../schemas/canonical.ts';
import type { CommentRef } from '../../schemas/forge.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import { annotationsOf } from '../comment/annotations.ts';
import { markerOf } from '../comment/marker.ts';
import type { CommentModel } from '../comment/model.ts';
import { renderComment } from '../comment/render.ts';
import { headOf } from '../comment/verdict.ts';
import type { Forge, StatusArgs } from '../forge/port.ts';

/** The comment says what the model says. */
export async function publishComment(
  forge: Forge,
  { model, before }: { readonly model: CommentModel; readonly before: CommentRef | null },
  signal: AbortSignal,
): Promise<CommentRef> {
  const body = renderComment(model);
  return await forge.ensureComment({ pull: model.pull, marker: markerOf(model), body, known: before }, signal);
}

/** The status says what the model says, and leads to the comment. Gives what is to be remembered of it. */
export async function publishVerdict(
  forge: Forge,
  args: { readonly model: CommentModel; readonly comment: CommentRef; readonly before: string | null },
  signal: AbortSignal,
): Promise<string> {
  const { model, comment, before } = args;
  const { state, description } = headOf(model);
  const context = contextOf(model.namespace);
  const annotations = annotationsOf(model);
  const said: StatusArgs = { revision: model.head, context, state, description, url: comment.url, annotations };
  return await publishStatus(forge, said, before, signal);
}

/** A namespace that the pull request leaves alone gets no comment, but its status, which may be a required one. */
export async function publishUntouched(
  forge: Forge,
  args: {
    readonly namespace: NamespaceName;
    readonly head: Revision;
    readonly before: string | null;
  },
  signal: AbortSignal,
): Promise<string> {
  const said: StatusArgs = {
    revision: args.head,
    context: contextOf(args.namespace),
    state: 'success',
    description: 'Not changed by this pull request',
    url: null,
  };
  return await publishStatus(forge, said, args.before, signal);
}

/** The name of the status, as branch protection lists it. */
function contextOf(namespace: NamespaceName): string {
  return `slipway/${namespace}`;
}

async function publishStatus(
  forge: Forge,
  status: StatusArgs,
  before: string | null,
  signal: AbortSignal,
): Promise<string> {
  const digest = digestOf(status);
  if (digest !== before) await forge.setStatus(status, signal);
  return digest;
}
