/** Where volumes of the `dir` driver lie. Pure. Names of namespaces begin with a letter or digit, so `.volumes` is free. */
import { SlipwayError } from '../../schemas/errors.ts';
import { NamespaceName, VolumeName } from '../../schemas/names.ts';

/** Every path that belongs to one volume. */
export interface VolumePaths {
  /** What containers mount. */
  readonly data: string;
  /** Folder of the namespace's volumes. */
  readonly namespace: string;
  readonly record: string;
  /** Where the folder is prepared before it appears at `data`. */
  readonly prepared: string;
  /** Where the folder goes before it is deleted. */
  readonly trash: string;
}

/** Folders of the driver itself. */
export function driverFolders(root: string) {
  return { records: `${root}/.volumes`, prepared: `${root}/.volumes/.new`, trash: `${root}/.volumes/.trash` } as const;
}

/** @throws VOLUME_FAILED when a name could lead out of the root */
export function volumePaths(root: string, namespace: string, volume: string): VolumePaths {
  if (!NamespaceName.safeParse(namespace).success || !VolumeName.safeParse(volume).success) {
    throw new SlipwayError('VOLUME_FAILED', `${JSON.stringify(`${namespace}/${volume}`)} is no name of a volume.`);
  }
  const { records, prepared, trash } = driverFolders(root);
  // Names hold no dot: two volumes never share a file here.
  const flat = `${namespace}.${volume}`;
  return {
    data: `${root}/${namespace}/${volume}`,
    namespace: `${root}/${namespace}`,
    record: `${records}/${namespace}/${volume}.json`,
    prepared: `${prepared}/${flat}`,
    trash: `${trash}/${flat}`,
  };
}
