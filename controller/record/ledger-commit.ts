/** A commit of the ledger as it was read: who signed it, and which entry it holds. Pure; only a signed one is believed. */
import type { Revision } from '../../schemas/names.ts';
import type { ReleaseRef } from '../../schemas/release.ts';
import type { TrustedKeys } from '../../trust/signed-body.ts';
import { sshVerify } from '../../trust/ssh-signature.ts';
import { ENTRY_TRAILERS, type LedgerEntry } from './describe-entry.ts';

/** What git's signatures are for (gitformat-signature). */
export const GIT_PURPOSE = 'git';

export interface LedgerCommit {
  readonly revision: Revision;
  readonly tree: string;
  /** Commits of the ledger; the source revision is not among them. */
  readonly parents: readonly Revision[];
  /** null: `why` says what is wrong with its signature or form, and nothing below is to be believed. */
  readonly signedBy: string | null;
  readonly why: string | null;
  /** What it says of itself; null: nothing that Slipway writes. */
  readonly says: {
    readonly kind: LedgerEntry['kind'];
    readonly entry: ReleaseRef;
    readonly deploy: string;
    readonly actor: string;
    readonly plan: string | null;
    readonly source: Revision | null;
    readonly rollbackTo: string | null;
    readonly forkedFrom: string | null;
    readonly promotedFrom: string | null;
    readonly subject: string;
    /** ISO 8601, UTC. */
    readonly at: string;
  } | null;
}

/** Reads the stored bytes of a commit. Never throws. */
export function readLedgerCommit(revision: Revision, raw: Uint8Array, trusted: TrustedKeys): LedgerCommit {
  const { headers, signature, payload, message } = splitCommit(raw);
  const tree = headers.find(([name]) => name === 'tree')?.[1] ?? '';
  const parents = headers.filter(([name]) => name === 'parent').map(([, value]) => value);
  const says = whatItSays(message, headers.find(([name]) => name === 'committer')?.[1] ?? '');
  const verdict =
    signature === null
      ? { keyId: null, why: 'it is not signed' }
      : sshVerify(payload, { armoured: signature, purpose: GIT_PURPOSE, trusted });
  const why = verdict.keyId === null ? verdict.why : says === null ? 'it holds no entry of the log' : null;
  return {
    revision,
    tree,
    parents: parents.filter((it) => it !== says?.source),
    signedBy: why === null ? verdict.keyId : null,
    why,
    says,
  };
}

interface SplitCommit {
  readonly headers: readonly (readonly [string, string])[];
  readonly signature: string | null;
  /** The bytes that were signed: all but the signature's header. */
  readonly payload: Uint8Array;
  readonly message: string;
}

/** Source: gitformat-signature: the header `gpgsig` and its continuation lines are taken out. */
function splitCommit(raw: Uint8Array): SplitCommit {
  // Byte for character, so that what is cut out of it can be put together again.
  const text = Buffer.from(raw).toString('latin1');
  const end = text.indexOf('\n\n');
  const head = end < 0 ? text : text.slice(0, end);
  const kept: string[] = [];
  const signature: string[] = [];
  let inside = false;
  for (const line of head.split('\n')) {
    inside = line.startsWith('gpgsig ') || (inside && line.startsWith(' '));
    if (inside) signature.push(line.slice(line.startsWith('gpgsig ') ? 'gpgsig '.length : 1));
    else kept.push(line);
  }
  const rest = end < 0 ? '' : text.slice(end);
  return {
    headers: kept.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)] as const;
    }),
    signature: signature.length === 0 ? null : signature.join('\n'),
    payload: Buffer.from(kept.join('\n') + rest, 'latin1'),
    message: Buffer.from(rest.slice(2), 'latin1').toString('utf8'),
  };
}

const REF = /^([a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)@([1-9]\d{0,14})$/;
const KINDS = Object.entries(ENTRY_TRAILERS) as [LedgerEntry['kind'], string][];

function whatItSays(message: string, committer: string): LedgerCommit['says'] {
  const trailers = trailersOf(message);
  const [kind, name] = KINDS.find(([, trailer]) => trailers.has(trailer)) ?? [];
  const [, namespace, n] = REF.exec(trailers.get(name ?? '') ?? '') ?? [];
  if (kind === undefined || namespace === undefined) return null;
  const seconds = Number(/ (\d{1,12}) [+-]\d{4}$/.exec(committer)?.[1] ?? 0);
  const of = (trailer: string) => trailers.get(trailer) ?? null;
  return {
    kind,
    entry: { namespace, n: Number(n) },
    deploy: of('Slipway-Deploy') ?? '',
    actor: of('Slipway-Actor') ?? '',
    plan: of('Slipway-Plan'),
    source: of('Slipway-Source'),
    rollbackTo: of('Slipway-Rollback-To'),
    forkedFrom: of('Slipway-Forked-From'),
    promotedFrom: of('Slipway-Promoted-From'),
    subject: message.split('\n', 1)[0] ?? '',
    at: new Date(seconds * 1_000).toISOString(),
  };
}

/** The lines `Name: value` of the last paragraph. */
function trailersOf(message: string): Map<string, string> {
  const last = message.trimEnd().split('\n\n').at(-1) ?? '';
  const found = new Map<string, string>();
  for (const line of last.split('\n')) {
    const [, name, value] = /^([A-Za-z][A-Za-z-]*): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !found.has(name)) found.set(name, value);
  }
  return found;
}
