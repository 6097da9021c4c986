/** Where a backup may be restored to: a place without an installation, or one where the same restore was cut off. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import type { Store } from '../../store/port.ts';
import { leftRunning } from './left-running.ts';
import { type Marker, readMarker } from './marker.ts';

export interface Target {
  readonly marker: Marker;
  /** An earlier attempt with the same file was cut off. */
  readonly resumed: boolean;
}

/** @throws SETUP_FAILED when the state directory, or a process, belongs to an installation already */
export async function restoreTarget(args: {
  readonly paths: StatePaths;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly at: string;
}): Promise<Target> {
  const { paths, file, bytes, at } = args;
  const backup = createHash('sha256').update(bytes).digest('hex');
  const before = await readMarker(paths);
  if (before !== null) {
    if (before.backup === backup) return { marker: before, resumed: true };
    throw new SlipwayError(
      'SETUP_FAILED',
      `a restore of ${before.file} into ${paths.root} has not ended: give that file again, or \`slipway down --purge\` first`,
    );
  }
  const taken = [paths.installation, paths.keys, paths.nats, paths.agent].filter((it) => existsSync(it));
  if (taken.length > 0) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `${paths.root} is not empty (${taken.join(', ')}): restore into another --state-dir, or \`slipway down\` and move it away first; only volumes/ may stay`,
    );
  }
  const running = await leftRunning(paths.root);
  if (running.length > 0) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `of the installation that was in ${paths.root} still run ${running.join(', ')}: end them first (containers and gateway may go on)`,
    );
  }
  return { marker: { backup, file: resolve(file), at }, resumed: false };
}

/** The installation with the NATS server that its state is restored into; null: an embedded one. @throws USAGE */
export function withNats(installation: Installation, natsUrl: string | undefined): Installation {
  if (natsUrl !== undefined) return { ...installation, natsUrl };
  if (installation.natsUrl === null) return installation;
  throw new SlipwayError(
    'USAGE',
    `this installation used the NATS server at ${new URL(installation.natsUrl).host}: say with --nats URL which empty server gets its state`,
  );
}

/** @throws SETUP_FAILED when a NATS server of somebody's own holds a state already */
export async function refuseUsed(store: Pick<Store, 'log' | 'bucket'>, natsUrl: string | null): Promise<void> {
  if (natsUrl === null) return;
  const [namespaces, cluster] = await Promise.all([store.log.namespaces(), store.bucket('cluster').list()]);
  if (namespaces.length === 0 && cluster.length === 0) return;
  throw new SlipwayError(
    'SETUP_FAILED',
    `the NATS server at ${new URL(natsUrl).host} holds the state of an installation already: name an empty one`,
  );
}
