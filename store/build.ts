/** Which build a program is of: Slipway's version and a digest of the one file that the program is. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ownVersions, programPath } from './own-files.ts';

const DIGEST_DIGITS = 12;

/** `<version>+<digest>` of a program such as `agent/main`; of sources, which are many files, only the first counts. */
export async function buildOf(program: string): Promise<string> {
  const digest = createHash('sha256').update(await readFile(programPath(program)));
  return `${ownVersions().slipway}+${digest.digest('hex').slice(0, DIGEST_DIGITS)}`;
}
