/** Reads a backup from its file; whatever is wrong with it is told before anything is written. */
import { readFile } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import { problemsOf } from './check.ts';
import { type Backup, unpackBackup } from './pack.ts';

const SHOWN = 10;

/** @throws USAGE when the file cannot be read, BACKUP_INVALID when it cannot be restored */
export async function readBackup(file: string): Promise<Backup & { readonly bytes: Uint8Array }> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new SlipwayError('USAGE', `${file} cannot be read (${error.code ?? 'unknown'})`, {}, error);
  });
  const backup = unpackBackup(bytes);
  const problems = problemsOf(backup);
  if (problems.length === 0) return { ...backup, bytes };
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
  throw new SlipwayError(
    'BACKUP_INVALID',
    `${file} cannot be restored: ${problems.slice(0, SHOWN).join('; ')}${more}`,
    {
      problems,
    },
  );
}
