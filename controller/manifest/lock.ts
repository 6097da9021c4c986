/**
 * Lock files: the digests that a promotion pinned, applied to what a manifest asks for. Pure. An entry counts only while
 * the image of its service is the same text; the others are stale, which stops nothing.
 */
import type { LockEntry, ManifestLock } from '../../schemas/manifest.ts';
import type { ReleaseRef } from '../../schemas/release.ts';
import type { Desired, DesiredService, ImageRef } from '../../schemas/service.ts';

/** A lock file that has no problems, and where it lies. */
export interface NamespaceLock {
  readonly path: string;
  readonly entries: readonly LockEntry[];
  /** What it was last promoted from; null: it does not say. */
  readonly promotedFrom: ReleaseRef | null;
}

export interface StaleEntry {
  readonly entry: LockEntry;
  readonly why: string;
}

/** The lock of a namespace lies beside its file or folder. */
export function lockPath(manifestsFolder: string, namespace: string): string {
  return `${manifestsFolder}/${namespace}.lock.toml`;
}

/** The file's content as records have it. */
export function lockOf(path: string, file: ManifestLock): NamespaceLock {
  const from = file.promoted_from;
  return {
    path,
    entries: file.images,
    promotedFrom: from === undefined ? null : { namespace: from.namespace, n: from.release },
  };
}

/** The namespace with the images that its lock pins, and the entries that say nothing any more. */
export function applyLock(
  desired: Desired,
  entries: readonly LockEntry[],
): { readonly desired: Desired; readonly stale: readonly StaleEntry[] } {
  const stale: StaleEntry[] = [];
  const images = new Map<string, ImageRef>();
  for (const entry of entries) {
    const why = staleBecause(desired, entry);
    if (why === null) images.set(entry.service, lockedImage(entry));
    else stale.push({ entry, why });
  }
  const services = desired.services.map((it): DesiredService => {
    const locked = images.get(it.name);
    return locked === undefined ? it : { ...it, lockedImage: locked };
  });
  return { desired: { ...desired, services }, stale };
}

function staleBecause(desired: Desired, entry: LockEntry): string | null {
  const service = desired.services.find((it) => it.name === entry.service);
  if (service === undefined) return 'the manifest has no service of this name';
  return service.imageName === entry.image ? null : `the manifest says ${JSON.stringify(service.imageName)} now`;
}

/** What an entry stands for. */
export function lockedImage({ image, digest, local }: LockEntry): ImageRef {
  return local === true ? { localId: digest, name: image } : { repo: repositoryOf(image), digest };
}

/** The name without tag and digest, as engines write it beside a digest. Source: distribution/reference. */
export function repositoryOf(image: string): string {
  return image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .replace(/^docker\.io\//, '')
    .replace(/^library\//, '');
}
