/** The files of keys/, as a backup holds them. */
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KeyFile } from '../../schemas/backup.ts';
import { writeDurable } from '../../store/durable-file.ts';

/** Every file below the folder, in order; what a crash left half written is not among them. */
export async function readKeyFiles(folder: string): Promise<KeyFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter((it) => !/\.(tmp|new)$/.test(it)).toSorted();
  const found = await Promise.all(
    names.map(async (path) => {
      const { mode, isFile } = await stat(join(folder, path)).then((it) => ({ mode: it.mode, isFile: it.isFile() }));
      if (!isFile) return [];
      const base64 = (await readFile(join(folder, path))).toString('base64');
      return [KeyFile.parse({ path, mode: mode & 0o777, base64 })];
    }),
  );
  return found.flat();
}

/** The folder holds these files, each with the permissions that it had; idempotent. */
export async function writeKeyFiles(folder: string, files: readonly KeyFile[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  for (const { path, mode, base64 } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeDurable(join(folder, path), Buffer.from(base64, 'base64'), mode);
  }
}
