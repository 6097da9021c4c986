/** How much space a folder's file system has, as the kernel says. */
import { statfs } from 'node:fs/promises';
import type { DiskUsage } from '../schemas/disk.ts';

/** null: there is no such folder here, as with an engine that runs elsewhere. */
export async function diskUsage(folder: string): Promise<DiskUsage | null> {
  try {
    // bavail: what is left to programs without the reserve of the superuser, as df counts it.
    const { blocks, bavail, bsize, files, ffree } = await statfs(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, totalInodes: files, freeInodes: ffree };
  } catch {
    return null;
  }
}
