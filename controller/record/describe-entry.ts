/** A log entry as a commit's message: a subject for people, trailers for programs. Pure; equal entries, equal bytes. */
import type { Revision } from '../../schemas/names.ts';
import type { LogEntry, Release, ReleaseRef } from '../../schemas/release.ts';
import type { CommitPerson } from '../git/workshop.ts';

/** Entries that are a commit of their own. */
export type LedgerEntry = Exclude<LogEntry, { kind: 'void' }>;

/** Kind → the trailer that says which entry the commit holds. */
export const ENTRY_TRAILERS = {
  release: 'Slipway-Release',
  job: 'Slipway-Job',
  removed: 'Slipway-Removed',
} as const satisfies Record<LedgerEntry['kind'], string>;

const MS_PER_SECOND = 1_000;
const REVISION_DIGITS = 10;

/** The message of the entry's commit. */
export function messageOf(entry: LedgerEntry): string {
  const trailers = trailersOf(entry)
    .filter((it): it is readonly [string, string] => it[1] !== null)
    .map(([name, value]) => `${name}: ${oneLine(value)}`);
  const body = entry.kind === 'release' ? `${changesOf(entry)}\n\n` : '';
  return `${entry.namespace} #${entry.n}: ${subjectOf(entry)}\n\n${body}${trailers.join('\n')}\n`;
}

/** Author and committer: Slipway of this installation, at the time of the entry. */
export function personOf({ at }: Pick<LogEntry, 'at'>, installation: string): CommitPerson {
  return {
    name: 'Slipway',
    email: signerName(installation),
    timestamp: Math.floor(Date.parse(at) / MS_PER_SECOND),
  };
}

/** Who signs, as `git log --show-signature` names it: an address that nobody can have (RFC 2606). */
export function signerName(installation: string): string {
  return `slipway@${installation}.invalid`;
}

/** `production@41`, as trailers have it. */
export function refText({ namespace, n }: ReleaseRef): string {
  return `${namespace}@${n}`;
}

function trailersOf(entry: LedgerEntry): (readonly [string, string | null])[] {
  const release = entry.kind === 'release' ? entry : null;
  const { forkedFrom, promotedFrom, rollbackTo } = release?.lineage ?? {};
  const back = rollbackTo === undefined || rollbackTo === null ? null : { namespace: entry.namespace, n: rollbackTo };
  return [
    [ENTRY_TRAILERS[entry.kind], refText(entry)],
    ['Slipway-Plan', 'planId' in entry ? entry.planId : null],
    ['Slipway-Deploy', entry.deploy],
    ['Slipway-Actor', entry.actor],
    ['Slipway-Source', release?.source.revision ?? null],
    ['Slipway-Rollback-To', back && refText(back)],
    ['Slipway-Forked-From', forkedFrom === undefined ? null : refText(forkedFrom)],
    ['Slipway-Promoted-From', promotedFrom === undefined ? null : refText(promotedFrom)],
  ];
}

function subjectOf(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'job':
      return `job ${entry.service} ended with ${entry.exitCode}`;
    case 'removed':
      return 'removed';
    case 'release':
      return releaseSubject(entry);
  }
}

function releaseSubject({ final, lineage, source }: Release): string {
  const what = final ? 'release' : 'checkpoint';
  if (lineage.rollbackTo !== null) return `${what}, back to #${lineage.rollbackTo}`;
  if (lineage.promotedFrom !== undefined) return `${what}, promoted from ${refText(lineage.promotedFrom)}`;
  if (lineage.forkedFrom !== undefined && lineage.previous === null)
    return `${what}, forked from ${refText(lineage.forkedFrom)}`;
  if (source.revision === null) return `${what} by hand`;
  return `${what} from ${short(source.revision)}`;
}

function changesOf({ services, slots, volumes }: Release): string {
  const names = Object.keys(services).toSorted();
  const counts = [count(names.length, 'service'), count(slots.length, 'slot'), count(volumes.length, 'volume')];
  return `${counts.join(', ')}: ${names.join(', ')}`.replace(/: $/, '');
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function short(revision: Revision): string {
  return revision.slice(0, REVISION_DIGITS);
}

/** Nobody's name can add a trailer. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}
