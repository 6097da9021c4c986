/** Follows the snapshot file: the last readable version of it is what counts, whatever happens to the file later. */
import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../schemas/logger.ts';
import { createBell } from '../waiting.ts';
import { emptyIndex, type NameIndex, parseSnapshot } from './snapshot.ts';

export interface SnapshotFile {
  current(): NameIndex;
  /** Calls the listener after each change; gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

/** Reads the file now and after each change of it. Watching is a wake-up, the poll is the truth. */
export async function followSnapshot(
  path: string,
  log: Logger,
  timing = { pollIntervalMs: 250 },
): Promise<SnapshotFile> {
  const bell = createBell();
  let index = emptyIndex();
  let seen = '';
  let loading = false;
  let again = false;

  async function load(): Promise<void> {
    again = loading;
    if (loading) return;
    loading = true;
    try {
      const version = await fileVersion(path);
      if (version === seen) return;
      // Before reading: a file that is replaced while we read has another version at the next look.
      seen = version;
      if (version === '') return;
      index = parseSnapshot(await readFile(path, 'utf8'));
      bell.ring();
    } catch (error) {
      log.warn({ path, err: error }, 'snapshot not readable; answering from the one before');
    } finally {
      loading = false;
      if (again) wakeUp();
    }
  }

  const wakeUp = () => void load();
  const timer = setInterval(wakeUp, timing.pollIntervalMs);
  const watcher = watchFolder(path, wakeUp);
  await load();
  return {
    current: () => index,
    subscribe: bell.subscribe,
    close() {
      clearInterval(timer);
      watcher?.close();
    },
  };
}

/** Differs whenever the file was replaced or written; empty when there is none. */
async function fileVersion(path: string): Promise<string> {
  try {
    const { ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    return '';
  }
}

function watchFolder(path: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(dirname(path), (_, name) => {
      if (name === null || name === basename(path)) onChange();
    });
    // No more watches in the kernel: the poll goes on.
    return watcher.on('error', () => watcher.close());
  } catch {
    return null;
  }
}
