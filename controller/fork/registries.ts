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
  service: Pick<DesiredService, 'imageName'>,
  given: ImageRef | undefined,
  registries: readonly string[],
): ImageSource {
  const name = repositoryOf(service.imageName);
  if (registries.some((it) => within(name, it))) return 'registry';
  if (given !== undefined) return 'given';
  return hostOf(service.imageName) === null ? 'machine' : 'refused';
}

/** `ghcr.io/acme` holds `ghcr.io/acme/web` and itself, not `ghcr.io/acme-evil/web`. */
function within(name: string, registry: string): boolean {
  const prefix = registry.replace(/\/+$/, '').toLowerCase();
  return prefix !== '' && (name === prefix || name.startsWith(`${prefix}/`));
}

/** The name without tag and digest, with its host: `docker.io` where none is written. */
function repositoryOf(image: string): string {
  const bare = image.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  return hostOf(image) === null ? `docker.io/${bare}` : bare;
}

/** As Docker reads it: a first part with a dot or a colon is a host. Source: distribution/reference. */
function hostOf(image: string): string | null {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : null;
}
