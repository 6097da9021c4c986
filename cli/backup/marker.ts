/** The marker of a restore that has not ended: nothing may use the installation, and the same backup goes on. */
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { SlipwayError } from '../../schemas/errors.ts';
import type { StatePaths } from '../../schemas/installation.ts';
import { writeDurable } from '../../store/durable-file.ts';

/** `backup`: sha256 of the file. `at`: when the restore began. */
const Marker = z.strictObject({ backup: z.string(), file: z.string(), at: z.iso.datetime() });
export type Marker = z.infer<typeof Marker>;

type Paths = Pick<StatePaths, 'root' | 'restoring'>;

/** null: no restore is unfinished. */
export async function readMarker(paths: Paths): Promise<Marker | null> {
  const text = await readFile(paths.restoring, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : Marker.parse(JSON.parse(text));
}

export async function writeMarker(paths: Paths, marker: Marker): Promise<void> {
  await writeDurable(paths.restoring, JSON.stringify(marker));
}

export async function removeMarker(paths: Paths): Promise<void> {
  await rm(paths.restoring, { force: true });
}

/** @throws SETUP_FAILED while a restore is unfinished */
export async function refuseHalfRestored(paths: Paths): Promise<void> {
  const marker = await readMarker(paths);
  if (marker === null) return;
  throw new SlipwayError(
    'SETUP_FAILED',
    `a restore into ${paths.root} has not ended: \`slipway restore ${marker.file}\` goes on with it, \`slipway down --purge\` gives it up`,
  );
}
