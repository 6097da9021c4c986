/** Reads what a promotion is about: what the source proved, and what the tracked branch says of the destination now. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { NamespaceName, Revision, ServiceName } from '../../schemas/names.ts';
import { type Problem, problemText } from '../../schemas/problem.ts';
import type { ReleaseRef } from '../../schemas/release.ts';
import { type Desired, ServiceSpec } from '../../schemas/service.ts';
import type { Settings } from '../../schemas/settings.ts';
import type { Store } from '../../store/port.ts';
import { readFleet } from '../fleet-manifests.ts';
import type { OpenRepository } from '../git/repository.ts';
import { lockPath } from '../manifest/lock.ts';
import type { Namespaces } from '../namespaces.ts';
import { readRevision } from '../source/read-revision.ts';
import { manifestsFolder } from '../tracked.ts';
import { lockText, refText } from './lock-text.ts';
import { type Selection, selectImages } from './select.ts';

export interface PrepareDeps {
  readonly store: Pick<Store, 'log' | 'specs'>;
  readonly namespaces: Pick<Namespaces, 'get'>;
  readonly repository: OpenRepository;
}

/** What somebody wants to be promoted. */
export interface PromotionWish {
  readonly src: NamespaceName;
  readonly dst: NamespaceName;
}

/** A promotion that nothing was done about yet. */
export interface Promotion extends Selection {
  readonly from: ReleaseRef;
  readonly dst: NamespaceName;
  /** The tracked branch's revision that it was made from. */
  readonly base: Revision;
  readonly settings: Settings;
  readonly path: string;
  readonly text: string;
  /** The destination as git has it now, and as it will have it. */
  readonly before: Desired;
  readonly after: Desired;
  readonly proved: ReadonlyMap<ServiceName, ServiceSpec>;
  /** What the reader should know of the source, as sentences. */
  readonly notes: readonly string[];
}

/** @throws PROMOTION_REFUSED, UNKNOWN_NAMESPACE, MANIFEST_INVALID, SOURCE_UNAVAILABLE, USAGE */
export async function preparePromotion(
  deps: PrepareDeps,
  { src, dst }: PromotionWish,
  signal: AbortSignal,
): Promise<Promotion> {
  if (src === dst) throw new SlipwayError('USAGE', 'a namespace cannot be promoted to itself');
  const { from, proved, notes } = await readProved(deps, src);
  const { repository } = deps;
  const revision = await repository.tip(signal);
  const state = await readRevision({ repository, revision, manifestsFolder, signal });
  const fleet = readFleet(state);
  if (state.kind === 'invalid' || fleet.settings === null) throw invalid(fleet.problems);
  const { settings } = fleet;
  if (fleet.invalid.has(dst)) throw invalid(fleet.problems);
  const before = fleet.desired.find((it) => it.namespace === dst);
  if (before === undefined) {
    const known = fleet.desired.map((it) => it.namespace).join(', ');
    throw new SlipwayError(
      'UNKNOWN_NAMESPACE',
      `revision ${revision.slice(0, 10)} has no namespace ${dst} to promote to; it has ${known || 'none'}`,
    );
  }
  const selection = selectImages({ proved, desired: before, locked: fleet.locks?.get(dst)?.entries ?? [] });
  if (selection.promoted.length === 0) {
    const why = selection.notPromoted.map((it) => `${it.service}: ${it.why}`).join('; ');
    throw new SlipwayError(
      'PROMOTION_REFUSED',
      `nothing of ${refText(from)} fits ${dst}: ${why || 'it has no services'}`,
    );
  }
  const path = lockPath(settings.source.manifests, dst);
  const text = lockText(from, dst, selection.entries);
  const file = { path, oid: '', bytes: Buffer.from(text) };
  // Read back by the same way as the loop will read it: what is deployed now is what it will ask for then.
  const landed = readFleet({ ...state, files: [...state.files.filter((it) => it.path !== path), file] });
  const after = selection.same ? before : landed.desired.find((it) => it.namespace === dst);
  if (after === undefined) throw invalid(landed.problems);
  return { ...selection, from, dst, base: revision, settings, path, text, before, after, proved, notes };
}

async function readProved(
  deps: PrepareDeps,
  src: NamespaceName,
): Promise<Pick<Promotion, 'from' | 'proved' | 'notes'>> {
  const live = await deps.store.log.live(src);
  if (live === null) throw new SlipwayError('UNKNOWN_NAMESPACE', `${src} has no live release to promote`);
  if (!live.final) {
    const why = `release #${live.n} of ${src} is a checkpoint of a deploy that did not end: it proves nothing yet`;
    throw new SlipwayError('PROMOTION_REFUSED', `${why}; deploy or roll back ${src} first`);
  }
  const proved = new Map<ServiceName, ServiceSpec>();
  for (const [service, digest] of Object.entries(live.services)) {
    proved.set(service, ServiceSpec.parse(await deps.store.specs.get(digest)));
  }
  const { held, failed } = await deps.namespaces.get(src);
  return {
    from: { namespace: src, n: live.n },
    proved,
    notes: [
      ...(held === null
        ? []
        : [`${src} is held by ${held.by} (${held.why}): what it runs is promoted, not what git says`]),
      ...(failed === null
        ? []
        : [`the last deploy of ${src} failed (${failed.code}): what it runs is older than that`]),
    ],
  };
}

function invalid(problems: readonly Problem[]): SlipwayError {
  return new SlipwayError('MANIFEST_INVALID', problems.map(problemText).join('\n'), { problems });
}
