/**
 * What image strings meant when people saw a plan, so that this runs and not what a tag means by now. Whose plan it was
 * matters: anybody can open a pull request that says the same as another, earlier or later, when the tag meant something else.
 */
import { digestOf } from '../../schemas/canonical.ts';
import type { PullNumber } from '../../schemas/forge.ts';
import type { Digest, NamespaceName } from '../../schemas/names.ts';
import type { ImageRef } from '../../schemas/service.ts';
import type { Store } from '../../store/port.ts';
import type { Forge } from '../forge/port.ts';
import { readShownPlan, type Showing, showingsOf } from './shown-plans.ts';

/** Service → image. */
export type Images = Readonly<Record<string, ImageRef>>;

/** Which of these were merged into the tracked branch. @throws FORGE_UNAVAILABLE */
export type MergedPulls = (
  numbers: readonly PullNumber[],
  signal: AbortSignal,
) => Promise<{ has(number: PullNumber): boolean }>;

type Place = { readonly namespace: NamespaceName; readonly desired: Digest };

const LOOK_UP_MS = 20_000;

/** Asks the forge. */
export function createMergedPulls(deps: {
  readonly forge: Pick<Forge, 'getPull'>;
  readonly trackedBranch: string;
}): MergedPulls {
  return async (numbers, until) => {
    const signal = AbortSignal.any([until, AbortSignal.timeout(LOOK_UP_MS)]);
    const pulls = await Promise.all(numbers.map((it) => deps.forge.getPull(it, signal)));
    const merged = pulls.filter((it) => it?.state === 'merged' && it.base.branch === deps.trackedBranch);
    return new Set(merged.map((it) => it?.number));
  };
}

/** What the comment of this pull request showed last for the desired state; no other's counts. */
export async function imagesShownIn(
  store: Pick<Store, 'bucket'>,
  { namespace, desired, pull }: Place & { readonly pull: PullNumber },
): Promise<Images> {
  const all = await showingsOf(store.bucket('pulls'), namespace, desired);
  const last = all.findLast((it) => pullOf(it) === pull);
  return last === undefined ? {} : ((await imagesOf(store, namespace, last)) ?? {});
}

/**
 * What people saw of what git says now: in the pull request that was merged, or where it waited for them. Where it cannot
 * be told from what is known whose plan that was, the forge is asked; of what nobody may have merged nothing is taken.
 *
 * @throws FORGE_UNAVAILABLE
 */
export async function imagesReviewed(
  deps: { readonly store: Pick<Store, 'bucket' | 'log'>; readonly mergedPulls?: MergedPulls | undefined },
  place: Place,
  signal: AbortSignal,
): Promise<Images> {
  const { store, mergedPulls = async () => new Set<PullNumber>() } = deps;
  const { namespace, desired } = place;
  const live = await store.log.live(namespace);
  // What was live in between, people have not seen it over that; but the checkpoints of its own deploy change nothing.
  const ownCheckpoint = live?.final === false && live.source.desiredDigest === desired;
  const counts = (it: Showing) => it.release === (live?.n ?? null) || ownCheckpoint;
  const all = await showingsOf(store.bucket('pulls'), namespace, desired);
  const candidates = newestOfEach(all.filter((it) => it.in !== 'by-hand' && counts(it)));
  const read = await Promise.all(
    candidates.map(async (showing) => ({ showing, images: await imagesOf(store, namespace, showing) })),
  );
  const shown = read.flatMap(({ showing, images }) => (images === null ? [] : [{ showing, images }]));
  const newest = shown.at(-1)?.images ?? {};
  const agree = shown.every(({ images }) => digestOf(images) === digestOf(newest));
  if (agree && shown.some(({ showing }) => !isForks(showing))) return newest;
  const numbers = shown.flatMap(({ showing }) => pullOf(showing) ?? []);
  const merged = numbers.length === 0 ? null : await mergedPulls(numbers, signal);
  const isOfGit = ({ showing }: (typeof shown)[number]) =>
    typeof showing.in === 'string' || merged?.has(showing.in.pull) === true;
  return shown.findLast(isOfGit)?.images ?? {};
}

function newestOfEach(showings: readonly Showing[]): Showing[] {
  return showings.filter((it, at) => !showings.slice(at + 1).some((later) => pullOf(later) === pullOf(it)));
}

function pullOf(showing: Showing): PullNumber | null {
  return typeof showing.in === 'string' ? null : showing.in.pull;
}

function isForks({ in: place }: Showing): boolean {
  return typeof place !== 'string' && place.fork;
}

async function imagesOf(
  store: Pick<Store, 'bucket'>,
  namespace: NamespaceName,
  { id, desired }: Showing,
): Promise<Images | null> {
  const plan = await readShownPlan(store.bucket('pulls'), namespace, id);
  return plan?.basis.desiredDigest === desired ? plan.basis.images : null;
}
