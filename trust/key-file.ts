/** Files that hold a private key: made once, whole or not at all, read by their owner only. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeDurable } from '../store/durable-file.ts';

/** The file exists; of two processes that make it one wins, and both use it. */
export async function ensureKeyFile(path: string, make: () => string | Promise<string>): Promise<void> {
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await chmod(dirname(path), 0o700);
  const beside = `${path}.${randomBytes(8).toString('hex')}.new`;
  await writeDurable(beside, await make(), 0o600);
  try {
    // A link, unlike a rename, never replaces.
    await link(beside, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(beside, { force: true });
  }
}
