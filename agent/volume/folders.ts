/** Steps on folders that leave no doubt after a crash, and that follow no link. */
import { chmod, chown, lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SlipwayError } from '../../schemas/errors.ts';

/** What stands at a path; a link counts as a link, wherever it leads. */
export type Entry = 'none' | 'folder' | 'other';

/** Looks at a path without following a link at its end. */
export async function entryAt(path: string): Promise<Entry> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none';
    throw error;
  }
}

/** The folder exists. @throws VOLUME_FAILED when something else has its place, a link for instance */
export async function ensureFolder(path: string): Promise<void> {
  const entry = await entryAt(path);
  if (entry === 'folder') return;
  if (entry === 'other') throw new SlipwayError('VOLUME_FAILED', `${path} is not a folder; move it away.`);
  await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
    // Another call was faster.
    if ((await entryAt(path)) !== 'folder') throw error;
  });
  await syncFolder(dirname(path));
}

/**
 * An empty folder with this mode and owner appears at `path`; at no moment is there one with another mode or owner.
 *
 * @param prepared a place of the same file system where the folder is made first; what a crash left there is replaced
 */
export async function placeFolder(
  path: string,
  prepared: string,
  mode: number,
  owner: { readonly uid: number; readonly gid: number },
): Promise<void> {
  await rm(prepared, { recursive: true, force: true });
  await mkdir(prepared, { mode: 0o700 });
  await chown(prepared, owner.uid, owner.gid);
  // After chown, which clears the set-id bits; and not by mkdir, which obeys the umask.
  await chmod(prepared, mode);
  await syncFolder(prepared);
  await moveFolder(prepared, path);
}

/** Renames, and makes the rename last. */
export async function moveFolder(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
  await syncFolder(dirname(from));
}

/** Removes a folder if nothing is in it. */
export async function removeIfEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
