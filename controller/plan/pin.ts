/** Pinning: desired services with their images resolved, and the digests that name them. */
import type { Digest, ServiceName } from '../../schemas/names.ts';
import { type DesiredService, type ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';
import type { PlanFailure, PlanInput } from './input.ts';
import { sortedBy } from './order.ts';

/** A spec with the digests that rows and releases name it by. */
export interface Pinned {
  readonly spec: ServiceSpec;
  readonly digest: Digest;
  readonly template: Digest;
}

/** The pinned services in order of name, and a failure for each whose image nobody knows. */
export function pinServices(
  services: readonly DesiredService[],
  { images, secrets }: Pick<PlanInput, 'images' | 'secrets'>,
): { readonly pinned: ReadonlyMap<ServiceName, Pinned>; readonly failures: readonly PlanFailure[] } {
  const pinned = new Map<ServiceName, Pinned>();
  const failures: PlanFailure[] = [];
  for (const service of sortedBy(services, (it) => it.name)) {
    const image = Object.hasOwn(images, service.name) ? images[service.name] : undefined;
    if (image === undefined) {
      failures.push({
        code: 'IMAGE_NOT_FOUND',
        service: service.name,
        message: `image ${JSON.stringify(service.imageName)} was found neither on an engine nor in a registry; check its name and tag, or build it on the machine`,
      });
      continue;
    }
    const versions = Object.hasOwn(secrets, service.name) ? { secrets: secrets[service.name] } : {};
    const { lockedImage: _locked, ...rest } = service;
    const spec: ServiceSpec = { ...rest, template: { ...service.template, image, ...versions } };
    pinned.set(service.name, { spec, digest: specDigest(spec), template: templateDigest(spec) });
  }
  return { pinned, failures };
}
