/**
 * Which registries a pull request's images may be looked up at: those that `[images] registries` lists. Everything else
 * is looked for on the machine only, so that a manifest cannot make an agent ask any host it likes. Pure.
 */
import type { DesiredService, ImageRef } from '../../schemas/service.ts';

/**
 * Where a digest may come from: `registry`: a listed one. `given`: the source of the fork, which runs exactly this image
 * string. `machine`: images that are there. `refused`: nowhere, it names a registry that is not listed.
 */
export type ImageSource = 'given' | 'registry' | 'machine' | 'refused';

/** Where the image of a service may come from. */
export function imageSource(
  { imageName }: Pick<DesiredService, 'imageName'>,
  given: ImageRef | undefined,
  registries: readonly string[],
): ImageSource {
  if (isListed(imageName, registries)) return 'registry';
  if (given !== undefined) return 'given';
  return hostOf(imageName) === null ? 'machine' : 'refused';
}

/** Whether a listed registry, folder of one, or repository holds the image: `ghcr.io/acme` not that of `ghcr.io/acme-evil`. */
export function isListed(imageName: string, registries: readonly string[]): boolean {
  const name = repositoryOf(imageName);
  return registries.some((it) => {
    const prefix = it.replace(/\/+$/, '').toLowerCase();
    return prefix !== '' && (name === prefix || name.startsWith(`${prefix}/`));
  });
}

/** The whole name without tag and digest: Docker Hub's where no host is written, its library where no folder is. */
function repositoryOf(image: string): string {
  const bare = image.replace(/@[a-z0-9]+:[0-9a-f]+$/, '').replace(/:[^:/]*$/, '');
  const path = hostOf(image) === null ? bare : bare.slice(bare.indexOf('/') + 1);
  const host = hostOf(image)?.toLowerCase() ?? HUB;
  return host === HUB && !path.includes('/') ? `${HUB}/library/${path}` : `${host}/${path}`;
}

const HUB = 'docker.io';

/** As Docker reads it: a first part with a dot, a colon or a capital letter is a host. Source: distribution/reference. */
function hostOf(image: string): string | null {
  const [first = '', ...rest] = image.split('/');
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return rest.length > 0 && isHost ? first : null;
}
