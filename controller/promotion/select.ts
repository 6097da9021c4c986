/**
 * What a promotion takes over: digests, not manifests. A service is promoted when the manifests of the other namespace
 * ask for the very image string whose digest was proved. Pure.
 */
import type { LockEntry } from '../../schemas/manifest.ts';
import type { ServiceName } from '../../schemas/names.ts';
import { type Desired, type DesiredService, imageText, type ServiceSpec } from '../../schemas/service.ts';
import { lockedImage } from '../manifest/lock.ts';

/** A service whose digest is taken over. */
interface Promoted {
  readonly entry: LockEntry;
  /** The lock says so already. */
  readonly before: LockEntry | null;
}

export interface Selection {
  /** What the lock is to hold, in order of service: what is promoted, and what still counts of before. */
  readonly entries: readonly LockEntry[];
  readonly promoted: readonly Promoted[];
  readonly notPromoted: readonly { readonly service: ServiceName; readonly why: string }[];
  /** Entries that said nothing any more, and are taken out. */
  readonly dropped: readonly LockEntry[];
  /** The lock holds exactly this already. */
  readonly same: boolean;
}

/** Chooses for every service of both sides. */
export function selectImages(args: {
  /** What the source runs, by service. */
  readonly proved: ReadonlyMap<ServiceName, ServiceSpec>;
  /** What the manifests of the destination ask for. */
  readonly desired: Desired;
  /** What its lock holds now. */
  readonly locked: readonly LockEntry[];
}): Selection {
  const { proved, desired, locked } = args;
  const promoted: Promoted[] = [];
  const notPromoted: { service: ServiceName; why: string }[] = [];
  for (const service of desired.services) {
    const found = entryOf(service, proved.get(service.name));
    if ('why' in found) notPromoted.push({ service: service.name, why: found.why });
    else promoted.push({ entry: found, before: locked.find((it) => it.service === service.name) ?? null });
  }
  const wanted = new Set(desired.services.map((it) => it.name));
  for (const name of proved.keys()) {
    if (!wanted.has(name)) notPromoted.push({ service: name, why: 'the manifests of the destination do not have it' });
  }
  const taken = new Set(promoted.map((it) => it.entry.service));
  const counts = (entry: LockEntry) =>
    desired.services.some((it) => it.name === entry.service && it.imageName === entry.image);
  const kept = locked.filter((it) => !taken.has(it.service) && counts(it));
  const entries = [...promoted.map((it) => it.entry), ...kept].toSorted(byService);
  return {
    entries,
    promoted,
    notPromoted: notPromoted.toSorted(byService),
    dropped: locked.filter((it) => !counts(it)),
    same: JSON.stringify(entries.map(sameWords)) === JSON.stringify(locked.toSorted(byService).map(sameWords)),
  };
}

function entryOf(service: DesiredService, proved: ServiceSpec | undefined): LockEntry | { readonly why: string } {
  const { name, imageName: image } = service;
  if (proved === undefined) return { why: 'the source does not run it' };
  if (proved.imageName !== image) return { why: `the source runs ${proved.imageName}, the manifest says ${image}` };
  if (image.includes('@sha256:')) return { why: 'its manifest names the digest itself' };
  const { image: ran } = proved.template;
  const entry =
    'localId' in ran
      ? { service: name, image, digest: ran.localId, local: true }
      : { service: name, image, digest: ran.digest };
  // What the lock will be read as has to be what was proved, to the last character.
  return imageText(lockedImage(entry)) === imageText(ran) ? entry : { why: `its image is called ${imageText(ran)}` };
}

function sameWords({ service, image, digest, local }: LockEntry): unknown[] {
  return [service, image, digest, local === true];
}

function byService(a: { readonly service: string }, b: { readonly service: string }): number {
  return a.service < b.service ? -1 : 1;
}
