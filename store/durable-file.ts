/** Files that survive a crash between any two lines: written beside, fsynced, renamed, folder fsynced. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces the file's content; a reader sees the old or the new content, also after a power cut.
 *
 * @param mode permissions of a new file, 0o600 by default
 */
export async function writeDurable(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const beside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  const file = await open(beside, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
