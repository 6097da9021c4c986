/** Which images this installation pulled, on the disk; only those are ever pruned. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ImageRef } from '../schemas/service.ts';
import { createDurableRecord } from './durable-record.ts';

/** `repo@digest` of an image that we pulled. */
export interface ImageHistory {
  list(): readonly string[];
  add(image: Extract<ImageRef, { repo: string }>): Promise<void>;
  forget(ref: string): Promise<void>;
}

/** Reads the file of an earlier run; without one nothing was pulled. */
export async function openImageHistory({ path }: { path: string }): Promise<ImageHistory> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  const record = createDurableRecord<readonly string[]>({ path, initial: JSON.parse(text) as string[] });
  return {
    list: () => record.value(),
    add: async ({ repo, digest }) =>
      await record.change((it) => (it.includes(`${repo}@${digest}`) ? it : [...it, `${repo}@${digest}`])),
    forget: async (ref) => await record.change((it) => (it.includes(ref) ? it.filter((one) => one !== ref) : it)),
  };
}
