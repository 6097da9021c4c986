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

/** Where it is published. */
export interface PublishDeps {
  readonly forge: Pick<Forge, 'ensureComment' | 'setStatus'>;
  readonly trace?: (point: string) => void;
}

/** The comment says what the model says. */
export async function publishComment(
  deps: PublishDeps,
  { model, before }: { readonly model: CommentModel; readonly before: CommentRef | null },
  signal: AbortSignal,
): Promise<CommentRef> {
  const body = renderComment(model);
  deps.trace?.('comment:write');
  const marker = markerOf(model);
  const comment = await deps.forge.ensureComment({ pull: model.pull, marker, body, known: before }, signal);
  deps.trace?.('comment:written');
  return comment;
}

/** The status says what the model says, and leads to the comment. Gives what is to be remembered of it. */
export async function publishVerdict(
  deps: PublishDeps,
  args: { readonly model: CommentModel; readonly comment: CommentRef; readonly before: string | null },
  signal: AbortSignal,
): Promise<string> {
  const { model, comment, before } = args;
  const { state, description } = headOf(model);
  const context = contextOf(model.namespace);
  const annotations = annotationsOf(model);
  const said: StatusArgs = { revision: model.head, context, state, description, url: comment.url, annotations };
  return await publishStatus(deps, said, before, signal);
}

/** A namespace that the pull request leaves alone gets no comment, but its status, which may be a required one. */
export async function publishUntouched(
  deps: PublishDeps,
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
  return await publishStatus(deps, said, args.before, signal);
}

/** The name of the status, as branch protection lists it. */
function contextOf(namespace: NamespaceName): string {
  return `slipway/${namespace}`;
}

async function publishStatus(
  { forge, trace }: PublishDeps,
  status: StatusArgs,
  before: string | null,
  signal: AbortSignal,
): Promise<string> {
  const digest = digestOf(status);
  if (digest === before) return digest;
  trace?.('status:write');
  await forge.setStatus(status, signal);
  trace?.('status:written');
  return digest;
}
