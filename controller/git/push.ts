/** Moves one ref of a remote by compare-and-set: the server itself checks what the ref was. */
import type { Revision } from '../../schemas/names.ts';
import { type GitHttp, packOf, pushOffer } from './engine.ts';
import type { ObjectStore } from './objects.ts';
import { parsePushReport, pushRequest } from './receive-pack.ts';
import { unavailable } from './unavailable.ts';
import { unsentObjects } from './unsent.ts';

const MAX_KNOWN = 50;

export interface PushArgs {
  readonly ref: string;
  readonly expected: Revision | null;
  readonly revision: Revision | null;
}

export interface PushDeps {
  readonly url: string;
  /** For people. */
  readonly name: string;
  readonly http: GitHttp;
  /** The tracked one. */
  readonly branch: string;
  readonly gitdir: string;
  readonly objects: ObjectStore;
}

/** The ref is `revision` if it was `expected`; one that is `revision` already is taken for pushed: an answer was lost. */
export async function pushRef(deps: PushDeps, args: PushArgs, signal: AbortSignal): Promise<'pushed' | 'moved'> {
  const offer = await pushOffer(deps);
  const now = offer.refs.get(args.ref) ?? null;
  if (now === args.revision) return 'pushed';
  if (now !== args.expected) return 'moved';
  const pack = await packFor(deps, args, offer.refs, signal);
  const body = pushRequest({
    ref: args.ref,
    from: args.expected,
    to: args.revision,
    pack,
    capabilities: offer.capabilities,
  });
  const response = await deps.http.request({
    url: `${deps.url}/git-receive-pack`,
    method: 'POST',
    headers: {
      'content-type': 'application/x-git-receive-pack-request',
      accept: 'application/x-git-receive-pack-result',
    },
    body: once(body),
  });
  const report = parsePushReport(await whole(response.body), args.ref, offer.capabilities.has('side-band-64k'));
  if (report.kind === 'ok') return 'pushed';
  // "failed to update ref" is said of a lost race and of much else: the ref itself tells which.
  const after = (await pushOffer(deps)).refs.get(args.ref) ?? null;
  if (after === args.revision) return 'pushed';
  if (after !== args.expected) return 'moved';
  const why = report.kind === 'refused' ? `: ${report.why}` : '';
  throw unavailable(`${deps.name} did not take the push to ${args.ref}${why}`);
}

async function packFor(
  deps: PushDeps,
  args: PushArgs,
  refs: ReadonlyMap<string, Revision>,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  if (args.revision === null) return null;
  const oids = await unsentObjects(deps.objects, { revision: args.revision, known: likelyKnown(deps, refs) }, signal);
  return await packOf({ gitdir: deps.gitdir, oids, cache: deps.objects.engineCache() });
}

/** Tips that new commits are made upon; to look for all of thousands here would cost more than it saves. */
function likelyKnown(deps: PushDeps, refs: ReadonlyMap<string, Revision>): ReadonlySet<Revision> {
  const tracked = refs.get(`refs/heads/${deps.branch}`);
  const own = [...refs].filter(([ref]) => ref.startsWith('refs/slipway/')).map(([, it]) => it);
  return new Set([...(tracked === undefined ? [] : [tracked]), ...own, ...refs.values()].slice(0, MAX_KNOWN));
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes;
}

async function whole(body: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}
