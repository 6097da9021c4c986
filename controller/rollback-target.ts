/** Which release a rollback goes back to. */
import { canonicalJson } from '../schemas/canonical.ts';
import { SlipwayError } from '../schemas/errors.ts';
import type { NamespaceName } from '../schemas/names.ts';
import type { Release } from '../schemas/release.ts';
import { ServiceSpec } from '../schemas/service.ts';
import type { Store } from '../store/port.ts';
import { contentDigest } from './plan/quarantine.ts';

/**
 * The release of that number, or the last converged one before the live one that differs from it in more than versions
 * of secrets: those do not come back.
 *
 * @throws UNKNOWN_NAMESPACE, UNKNOWN_RELEASE
 */
export async function rollbackTarget(
  store: Pick<Store, 'log' | 'specs'>,
  namespace: NamespaceName,
  to: number | null,
): Promise<Release> {
  const live = await store.log.live(namespace);
  if (live === null) throw new SlipwayError('UNKNOWN_NAMESPACE', `${namespace} has no live release to roll back from`);
  const releases = (await store.log.entries(namespace)).filter((it) => it.kind === 'release');
  const target = to === null ? await lastThatDiffers(store, live, releases) : releases.find((it) => it.n === to);
  if (target !== undefined) return target;
  const known = releases
    .map((it) => `#${it.n}`)
    .slice(-10)
    .join(', ');
  throw new SlipwayError(
    'UNKNOWN_RELEASE',
    to === null
      ? `${namespace} has no earlier release that differs from #${live.n}`
      : `${namespace} has no release #${to}; the last are ${known}`,
  );
}

async function lastThatDiffers(
  store: Pick<Store, 'specs'>,
  live: Release,
  releases: readonly Release[],
): Promise<Release | undefined> {
  const earlier = releases.filter((it) => it.n < live.n && it.final).toReversed();
  // A checkpoint names the specs that it started from while it runs a mixture: what converged last differs from it.
  if (!live.final) return earlier[0];
  const now = await contentOf(store, live);
  for (const it of earlier) if ((await contentOf(store, it)) !== now) return it;
  return undefined;
}

async function contentOf(store: Pick<Store, 'specs'>, { services }: Release): Promise<string> {
  const contents = Object.entries(services).map(async ([name, digest]) => [
    name,
    contentDigest(ServiceSpec.parse(await store.specs.get(digest))),
  ]);
  return canonicalJson(Object.fromEntries(await Promise.all(contents)));
}
