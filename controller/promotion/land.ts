/**
 * Lands a promotion in git, as `[promotion]` says: as a branch and a pull request, or as a commit upon the tracked branch.
 * Refs move by compare-and-set; when the tracked branch moved, the promotion is made again upon it.
 */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Forge } from '../forge/port.ts';
import { codeSpan, prose } from '../plan/foreign.ts';
import { refText } from './lock-text.ts';
import { type PrepareDeps, type Promotion, preparePromotion } from './prepare.ts';

export interface LandDeps extends PrepareDeps {
  /** null: there are no credentials for one. */
  readonly forge: Forge | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type Landed =
  /** The lock says all of it already; nothing was written. */
  | { readonly kind: 'same' }
  | { readonly kind: 'pushed'; readonly branch: string; readonly revision: Revision }
  /** `pull` null: without credentials for a forge somebody has to open it. */
  | {
      readonly kind: 'branch';
      readonly branch: string;
      readonly revision: Revision;
      readonly pull: { readonly number: number; readonly title: string } | null;
    };

const MAX_TRIES = 5;

/** What branches of promotions begin with. */
export const PROMOTION_BRANCHES = 'slipway/promote-';

/** Calls again give the same end: the branch and its pull request are found, not doubled. @throws SOURCE_UNAVAILABLE, FORGE_… */
export async function landPromotion(
  deps: LandDeps,
  prepared: Promotion,
  by: string,
  signal: AbortSignal,
): Promise<{ readonly promotion: Promotion; readonly landed: Landed }> {
  let promotion = prepared;
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const landed = await land(deps, promotion, by, signal);
    if (landed !== 'moved') return { promotion, landed };
    promotion = await preparePromotion(deps, { src: promotion.from.namespace, dst: promotion.dst }, signal);
  }
  const { name, branch } = deps.repository;
  throw new SlipwayError(
    'SOURCE_UNAVAILABLE',
    `${name}: branch ${branch} moves faster than it can be pushed to; try again`,
  );
}

async function land(deps: LandDeps, promotion: Promotion, by: string, signal: AbortSignal): Promise<Landed | 'moved'> {
  if (promotion.same) return { kind: 'same' };
  const { repository } = deps;
  if (promotion.settings.promotion.landing === 'push') {
    const revision = await commitOf(deps, promotion, by);
    const ref = `refs/heads/${repository.branch}`;
    const end = await repository.push({ ref, expected: promotion.base, revision }, signal);
    return end === 'moved' ? 'moved' : { kind: 'pushed', branch: repository.branch, revision };
  }
  const branch = `${PROMOTION_BRANCHES}${promotion.from.namespace}-to-${promotion.dst}`;
  const revision = await pushBranch(deps, promotion, { by, ref: `refs/heads/${branch}` }, signal);
  if (revision === null) return 'moved';
  const title = titleOf(promotion);
  const pull = await deps.forge?.ensurePull(
    { branch, base: repository.branch, title, body: bodyOf(promotion, by) },
    signal,
  );
  return { kind: 'branch', branch, revision, pull: pull === undefined ? null : { number: pull.number, title } };
}

/** One commit upon the tracked branch; what the branch held of an earlier promotion is replaced. null: somebody moved it. */
async function pushBranch(
  deps: LandDeps,
  promotion: Promotion,
  { by, ref }: { readonly by: string; readonly ref: string },
  signal: AbortSignal,
): Promise<Revision | null> {
  const { repository } = deps;
  const now = await repository.fetchRef(ref, signal);
  const tree = await treeOf(deps, promotion);
  if (now !== null) {
    const there = await repository.commitInfo(now);
    if (there.tree === tree && there.parents.length === 1 && there.parents[0] === promotion.base) return now;
  }
  const revision = await commitOf(deps, promotion, by);
  return (await repository.push({ ref, expected: now, revision }, signal)) === 'moved' ? null : revision;
}

async function treeOf({ repository }: LandDeps, { base, path, text }: Promotion): Promise<string> {
  return await repository.writeTree(base, new Map([[path, Buffer.from(text)]]));
}

async function commitOf(deps: LandDeps, promotion: Promotion, by: string): Promise<Revision> {
  const person = { name: 'Slipway', email: 'slipway@localhost', timestamp: Math.floor(deps.now() / 1_000) };
  const tree = await treeOf(deps, promotion);
  return await deps.repository.writeCommit({
    tree,
    parents: [promotion.base],
    message: messageOf(promotion, by),
    person,
  });
}

function titleOf({ from, dst }: Promotion): string {
  return `Promote ${refText(from)} to ${dst}`;
}

function messageOf(promotion: Promotion, by: string): string {
  const rows = promotion.promoted.map(({ entry }) => `${entry.service}: ${entry.image} ${entry.digest}`);
  const trailers = [`Slipway-Promoted-From: ${refText(promotion.from)}`, `Slipway-Actor: ${by.replace(/\s+/g, ' ')}`];
  return [titleOf(promotion), rows.join('\n'), trailers.join('\n')].join('\n\n');
}

/** Of names and digests only: no value of the environment gets into a pull request by this way. */
function bodyOf(promotion: Promotion, by: string): string {
  const rows = promotion.promoted.map(
    ({ entry }) => `- ${codeSpan(entry.service)}: ${codeSpan(entry.image)} ${codeSpan(entry.digest)}`,
  );
  const left = promotion.notPromoted.map((it) => `- ${codeSpan(it.service)}: ${prose(it.why)}`);
  return [
    `${codeSpan(promotion.dst)} takes over the exact images that ${codeSpan(refText(promotion.from))} runs. Asked for by ${codeSpan(by)}.`,
    rows.join('\n'),
    ...(left.length === 0 ? [] : [`Not promoted:\n\n${left.join('\n')}`]),
  ].join('\n\n');
}
