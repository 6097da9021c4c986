/**
 * Syncs the files of a nats-server that does so only once a minute itself (before 2.10): an acknowledged write should
 * not be lost to a power cut for longer than about a second. fsync(2) writes a file's pages whoever made them dirty.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../schemas/logger.ts';

const EVERY_MS = 1_000;

/** Until the signal aborts. */
export async function keepSynced(deps: { readonly dir: string; readonly log: Logger }, signal: AbortSignal) {
  let since = 0;
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    const began = Date.now();
    try {
      await syncChanged(deps.dir, since);
      // File times may lag behind the clock by a tick of the kernel.
      since = began - EVERY_MS;
    } catch (error) {
      deps.log.warn({ error }, 'the files of nats-server could not be synced');
    }
  }
}

/** Syncs every file below the folder that was written at or after a time; gives their paths. */
export async function syncChanged(dir: string, sinceMs: number): Promise<string[]> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const synced = await Promise.all(names.map(async (name) => await syncIfChanged(join(dir, name), sinceMs)));
  return synced.filter((it) => it !== null).toSorted();
}

/** Files come and go while the server works: one that is gone needs no sync. */
async function syncIfChanged(path: string, sinceMs: number): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile() || found.mtimeMs < sinceMs) return null;
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return null;
  try {
    await file.datasync();
    return path;
  } finally {
    await file.close();
  }
}
