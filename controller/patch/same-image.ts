/** A reference that means the image that is live already is no change: not of the spec, and not of the container. Pure. */
import type { Desired, ImageRef, ServiceSpec } from '../../schemas/service.ts';

/** Desired and images in which the service keeps the reference of `before` where both mean the same image. */
export function withSameImage(
  desired: Desired,
  images: Readonly<Record<string, ImageRef>>,
  before: ServiceSpec,
): { readonly desired: Desired; readonly images: Readonly<Record<string, ImageRef>> } {
  const { name, imageName } = before;
  const { image } = before.template;
  const now = Object.hasOwn(images, name) ? images[name] : undefined;
  if (now === undefined || contentOf(now) !== contentOf(image)) return { desired, images };
  const services = desired.services.map((it) => (it.name === name ? { ...it, imageName } : it));
  return { desired: { ...desired, services }, images: { ...images, [name]: image } };
}

/** Registry digests name manifests and local ids name configurations: one of each kind never compares equal. */
function contentOf(image: ImageRef): string {
  return 'repo' in image ? `digest ${image.digest}` : `id ${image.localId}`;
}
