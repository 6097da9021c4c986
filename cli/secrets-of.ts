/** The secrets of an installation, opened with the keys in its state folder. */
import { createSecrets, type Secrets } from '../controller/secrets.ts';
import type { Installation, StatePaths } from '../schemas/installation.ts';
import type { Store } from '../store/port.ts';
import { clusterKey } from '../trust/secret-keys.ts';
import { trustedMachines } from './up/keys.ts';

export function secretsOf(store: Store, paths: StatePaths, { id }: Pick<Installation, 'id'>): Secrets {
  return createSecrets({
    bucket: store.bucket('secrets'),
    installation: id,
    clusterKey: () => clusterKey(paths.keys),
    machineKeys: () => trustedMachines(paths, id),
  });
}
