/**
 * Publishes what is to be said of a pull request: comment first, because people wait for it, then statuses. What was
 * said already is not said again.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { CommentRef } from '../../schemas/forge.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import { annotationsOf } from '../comment/annotations.ts';
import { markerOf } from '../comment/marker.ts';
import type { CommentModel } from '../comment/model.ts';
import { renderComment } from '../comment/render.ts';
import { headOf } from '../comment/verdict.ts';
import type { Forge, StatusArgs } from '../forge/port.ts';

/** What was published of one namespace. */
export interface Published {
  readonly comment: CommentRef | null;
  readonly status: string | null;
}

/** Where it is published. */
export interface PublishDeps {
  readonly forge: Pick<Forge, 'ensureComment' | 'setStatus'>;
  readonly trace?: (point: string) => void;
}

/** Writes the comment and then the status of one namespace, as far as they say something new. */
export async function publish(
  deps: PublishDeps,
  args: {
    readonly model: CommentModel;
    readonly before: Published;
    /** The comment only: the status is left to another pull request of the same head. */
    readonly sharesHead?: boolean;
    readonly onComment: (it: CommentRef) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<Published> {
  const { model, before } = args;
  const body = renderComment(model);
  deps.trace?.('comment:write');
  const comment = await deps.forge.ensureComment(
    { pull: model.pull, marker: markerOf(model), body, known: before.comment },
    signal,
  );
  deps.trace?.('comment:written');
  if (comment.id !== before.comment?.id || comment.bodyDigest !== before.comment.bodyDigest)
    await args.onComment(comment);
  if (args.sharesHead === true) return { comment, status: null };
  const { state, description } = headOf(model);
  const status = await publishStatus(
    deps,
    {
      revision: model.head,
      context: contextOf(model.namespace),
      state,
      description,
      url: comment.url,
      annotations: annotationsOf(model),
    },
    before.status,
    signal,
  );
  return { comment, status };
}

/** A namespace that the pull request leaves alone gets no comment, but its status, which may be a required one. */
export async function publishUntouched(
  deps: PublishDeps,
  args: {
    readonly namespace: NamespaceName;
    readonly head: Revision;
    readonly before: Pick<Published, 'status'>;
  },
  signal: AbortSignal,
): Promise<Pick<Published, 'status'>> {
  const said: StatusArgs = {
    revision: args.head,
    context: contextOf(args.namespace),
    state: 'success',
    description: 'Not changed by this pull request',
    url: null,
  };
  return { status: await publishStatus(deps, said, args.before.status, signal) };
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
