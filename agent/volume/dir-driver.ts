/**
 * The `dir` driver: a volume is a plain folder, `<root>/<namespace>/<volume>` (agent/ports.ts, VolumeDriver).
 *
 * The record is written before the folder appears and removed after it is gone: a folder without a record is never
 * ours, and after a crash the record says what has to be finished.
 */
import { mkdir, realpath, rm } from 'node:fs/promises';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Installation } from '../../schemas/installation.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { VolumeSpec } from '../../schemas/service.ts';
import { createKeyedLocks } from '../locks.ts';
import type { VolumeDriver } from '../ports.ts';
import { ensureFolder, entryAt, moveFolder, placeFolder, removeIfEmpty } from './folders.ts';
import { mountsWithin } from './mounts.ts';
import { driverFolders, type VolumePaths, volumePaths } from './volume-paths.ts';
import {
  listVolumeRecords,
  readVolumeRecord,
  removeVolumeRecord,
  type VolumeRecord,
  writeVolumeRecord,
} from './volume-record.ts';

const DEFAULT_MODE = 0o755;
const DEFAULT_OWNER = { uid: 0, gid: 0 } as const;

export interface DirDriverDeps {
  /** Folder of all volumes; made when it is missing. */
  readonly root: string;
  readonly installation: Pick<Installation, 'id'>;
  readonly log: Logger;
}

/** Volumes as plain folders: no snapshots, no quota. Calls for one namespace are carried out one after another. */
export function createDirDriver(deps: DirDriverDeps): VolumeDriver {
  const { installation, log } = deps;
  const locks = createKeyedLocks();
  const run = <T>(what: string, work: (root: string) => Promise<T>): Promise<T> =>
    prepareRoot(deps.root)
      .then(work)
      .catch((error: unknown) => {
        throw failure(what, error);
      });

  /** The record of a volume that this installation made; null when there is none. */
  async function ourRecord(paths: VolumePaths): Promise<VolumeRecord | null> {
    const record = await readVolumeRecord(paths.record);
    if (record === null || record.installation === installation.id) return record;
    throw new SlipwayError('VOLUME_FAILED', `${paths.data} belongs to installation ${record.installation}.`);
  }

  async function create(
    namespace: string,
    spec: VolumeSpec,
    { paths, record, deploy }: { paths: VolumePaths; record: VolumeRecord | null; deploy: string | undefined },
  ) {
    // With our record in state `creating` the folder is complete: it only appears by the last rename.
    const there = await entryAt(paths.data);
    if (there === 'other') throw new SlipwayError('VOLUME_FAILED', `${paths.data} is not a folder; move it away.`);
    if (there === 'folder' && record === null) {
      throw new SlipwayError('VOLUME_FAILED', `${paths.data} was not made by this installation; move it away.`);
    }
    const maker = deploy === undefined ? {} : { deploy };
    const row = { version: 1, installation: installation.id, namespace, volume: spec.name, ...maker } as const;
    if (record === null) await writeVolumeRecord(paths.record, { ...row, state: 'creating' });
    if (there === 'none') {
      await placeFolder(paths.data, paths.prepared, spec.mode ?? DEFAULT_MODE, spec.owner ?? DEFAULT_OWNER);
    }
    await writeVolumeRecord(paths.record, { ...row, state: 'ready' });
    log.info({ path: paths.data }, 'volume made');
  }

  /** A volume that a second deploy asks for is nobody's own: no deploy takes it away any more. */
  async function shared(paths: VolumePaths, record: VolumeRecord, deploy: string | undefined): Promise<void> {
    const { deploy: maker, ...rest } = record;
    if (maker !== undefined && maker !== deploy) await writeVolumeRecord(paths.record, rest);
  }

  async function destroyRecorded(root: string, record: VolumeRecord): Promise<void> {
    const paths = volumePaths(root, record.namespace, record.volume);
    const there = await entryAt(paths.data);
    if (there === 'other') throw new SlipwayError('VOLUME_FAILED', `${paths.data} is not a folder; move it away.`);
    const [mount] = await mountsWithin(paths.data);
    if (mount !== undefined) throw new SlipwayError('VOLUME_FAILED', `${mount} is a mount point; unmount it first.`);
    if (record.state !== 'destroying') await writeVolumeRecord(paths.record, { ...record, state: 'destroying' });
    await rm(paths.trash, { recursive: true, force: true });
    if (there === 'folder') await moveFolder(paths.data, paths.trash);
    await rm(paths.trash, { recursive: true, force: true });
    await removeVolumeRecord(paths.record);
    await removeIfEmpty(paths.namespace);
    log.info({ path: paths.data }, 'volume destroyed');
  }

  return {
    kind: 'dir',
    capabilities: { atomicSnapshot: false, cheapClone: false, quota: false },
    ensure: (namespace, spec, deploy) =>
      locks.run(namespace, () =>
        run(`volume ${namespace}/${spec.name}`, async (root) => {
          const paths = volumePaths(root, namespace, spec.name);
          if (spec.quotaBytes !== null) {
            throw new SlipwayError('NOT_SUPPORTED', `Volumes of driver dir have no quota (${namespace}/${spec.name}).`);
          }
          let record = await ourRecord(paths);
          if (record?.state === 'destroying') {
            await destroyRecorded(root, record);
            record = null;
          }
          await ensureFolder(paths.namespace);
          if (record?.state !== 'ready') await create(namespace, spec, { paths, record, deploy });
          else await requireData(paths);
          if (record?.state === 'ready') await shared(paths, record, deploy);
          return paths.data;
        }),
      ),
    list: () =>
      run('list of volumes', async (root) => {
        const records = await listVolumeRecords(root, installation.id);
        // Also one whose destruction was cut short: it is there until `destroy` has been called again.
        return records.map(({ namespace, volume, deploy }) => ({
          namespace,
          volume,
          path: volumePaths(root, namespace, volume).data,
          ...(deploy === undefined ? {} : { deploy }),
        }));
      }),
    destroy: (namespace, volume, madeBy) =>
      locks.run(namespace, () =>
        run(`destruction of volume ${namespace}/${volume}`, async (root) => {
          const paths = volumePaths(root, namespace, volume);
          const record = await ourRecord(paths);
          if (madeBy !== undefined && record?.deploy !== madeBy) return false;
          if (record !== null) {
            await destroyRecorded(root, record);
            return true;
          }
          if ((await entryAt(paths.data)) === 'none') return false;
          throw new SlipwayError('VOLUME_FAILED', `${paths.data} was not made by this installation; it is left alone.`);
        }),
      ),
  };
}

/** An empty folder in place of lost data would look like success. */
async function requireData(paths: VolumePaths): Promise<void> {
  const entry = await entryAt(paths.data);
  if (entry === 'folder') return;
  const wrong = entry === 'none' ? 'is gone; put the data back, or remove the volume' : 'is not a folder; move it away';
  throw new SlipwayError('VOLUME_FAILED', `${paths.data} ${wrong}.`);
}

/** The folders of the driver exist; gives the root as the kernel knows it, so that mount points can be compared. */
async function prepareRoot(root: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const real = await realpath(root);
  const { records, prepared, trash } = driverFolders(real);
  for (const folder of [records, prepared, trash]) await ensureFolder(folder);
  return real;
}

function failure(what: string, error: unknown): SlipwayError {
  if (isSlipwayError(error)) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new SlipwayError('VOLUME_FAILED', `${what}: ${message}`, { code }, error);
}
