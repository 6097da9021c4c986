/**
 * One file a volume, outside the folder that containers see: which volumes are ours, and how far their life has come.
 *
 * `creating` until the folder is at its place; `ready`; `destroying` from the decision on until nothing is left.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SlipwayError } from '../../schemas/errors.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { driverFolders } from './volume-paths.ts';

export interface VolumeRecord {
  readonly version: 1;
  readonly installation: string;
  readonly namespace: string;
  readonly volume: string;
  readonly state: 'creating' | 'ready' | 'destroying';
  /** The only deploy that ever asked for it; missing once another one did, and in records that never said. */
  readonly deploy?: string;
}

/** Null when there is none. @throws VOLUME_FAILED when it cannot be read: guessing could cost data */
export async function readVolumeRecord(path: string): Promise<VolumeRecord | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (text === null) return null;
  const record = parseRecord(text);
  if (record === null) throw new SlipwayError('VOLUME_FAILED', `The volume record ${path} is damaged; restore it.`);
  return record;
}

/** Replaces the record. */
export async function writeVolumeRecord(path: string, record: VolumeRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeDurable(path, `${JSON.stringify(record)}\n`);
}

/** Removes the record. */
export async function removeVolumeRecord(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** All records of the installation, in code-unit order of namespace and volume. */
export async function listVolumeRecords(root: string, installation: string): Promise<VolumeRecord[]> {
  const { records } = driverFolders(root);
  const entries = await readdir(records, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const paths = entries
    .filter((it) => it.isFile() && it.name.endsWith('.json'))
    .map((it) => `${it.parentPath}/${it.name}`);
  const found = await Promise.all(paths.toSorted().map(readVolumeRecord));
  return found.filter((it) => it !== null).filter((it) => it.installation === installation);
}

function parseRecord(text: string): VolumeRecord | null {
  try {
    const { version, installation, namespace, volume, state, deploy } = JSON.parse(text) as Partial<VolumeRecord>;
    if (version !== 1 || typeof installation !== 'string' || typeof namespace !== 'string') return null;
    if (typeof volume !== 'string' || !isState(state)) return null;
    const record = { version, installation, namespace, volume, state };
    return typeof deploy === 'string' ? { ...record, deploy } : record;
  } catch {
    return null;
  }
}

function isState(value: unknown): value is VolumeRecord['state'] {
  return value === 'creating' || value === 'ready' || value === 'destroying';
}
