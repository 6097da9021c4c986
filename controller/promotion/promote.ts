/** The door of this room: a promotion from what a namespace runs to git, and its end in words. */
import type { NamespaceName } from '../../schemas/names.ts';
import { type LandDeps, type Landed, landPromotion } from './land.ts';
import { refText } from './lock-text.ts';
import { type Promotion, preparePromotion } from './prepare.ts';

export interface PromoteEnd {
  readonly promotion: Promotion;
  readonly landed: Landed;
  /** One line; names of services, no values. */
  readonly summary: string;
}

/** The destination's lock names the digests that the source runs, in git or in a pull request; may be called again. */
export async function promote(
  deps: LandDeps,
  args: { readonly src: NamespaceName; readonly dst: NamespaceName; readonly by: string },
  signal: AbortSignal,
): Promise<PromoteEnd> {
  const prepared = await preparePromotion(deps, args, signal);
  const { promotion, landed } = await landPromotion(deps, prepared, args.by, signal);
  return { promotion, landed, summary: promotionSummary(promotion, landed) };
}

/** What became of it, and what happens next. */
export function promotionSummary(promotion: Promotion, landed: Landed): string {
  const { dst, from, promoted } = promotion;
  const what = `${dst} takes over ${promoted.map((it) => it.entry.service).join(', ')} of ${refText(from)}`;
  switch (landed.kind) {
    case 'same':
      return `nothing was written: ${promotion.path} has the digests of ${refText(from)} already`;
    case 'pushed':
      return `${what}: ${landed.revision.slice(0, 10)} on ${landed.branch}; the controller deploys it`;
    case 'branch':
      return landed.pull === null
        ? `${what}: pushed branch ${landed.branch}; merge it to deploy. A pull request is opened with SLIPWAY_FORGE_TOKEN, or credentials of a GitHub App`
        : `${what}: pull request #${landed.pull.number}; merge it to deploy`;
  }
}
